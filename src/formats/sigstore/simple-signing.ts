import { EnvelopeError } from '../../crypto/envelope-error.ts';
import { readJsonFields } from '../../crypto/json-fields.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { Digest } from '../../oci/digest.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';

/** What cosign's payload claims: that its signer vouches for a manifest, by a name. */
export interface SimpleSigning {
  readonly manifestDigest: string;
  /** The repository, as the signer pushed to it; some signers add a tag or a digest. */
  readonly dockerReference: string;
}

/** The names that a signed `docker-reference` may have. */
export interface KnownNames {
  /** The repository as policies name it. */
  readonly scope: string;
  /** Its other names, whole: by its upstream's host, and those that its registry is known under. */
  readonly aliases: readonly string[];
  /** Repositories, or the first parts of their names, that the policy lets a signer name. */
  readonly signedAs: readonly string[];
}

const type = 'cosign container image signature';

/**
 * cosign, Simple Signing: the payload names exactly the manifest that is verified, and the
 * repository that it is in. cosign itself looks neither at `type` nor at the repository; without the
 * latter a signature that was made for one repository vouches for its image in any other.
 */
export function checkSimpleSigning(
  payload: Uint8Array,
  subject: Digest,
  names: KnownNames,
): Finding {
  const { manifestDigest, dockerReference } = readSimpleSigning(payload);
  if (manifestDigest !== subject) {
    const because = `it is over other content: digest ${quoted(manifestDigest)}, not ${subject}`;
    return fail('signature-invalid', because);
  }
  const { repository, digest } = splitReference(dockerReference);
  if (digest !== undefined && digest !== subject) {
    const because = `its docker-reference ${quoted(dockerReference)} names another digest`;
    return fail('signature-invalid', because);
  }
  if (!isKnown(repository, names)) {
    const { scope } = names;
    const because = `it was signed for ${quoted(dockerReference)}, not for ${scope}; signedAs may list that name`;
    return fail('signature-invalid', because);
  }
  return pass({ subject: manifestDigest, 'docker-reference': dockerReference });
}

/**
 * Reads the payload strictly: no members but the known ones, none twice, the type as cosign writes
 * it; `optional` is anybody's. Throws `EnvelopeError`. Once, however many identities it is held
 * against.
 */
const readSimpleSigning = oncePer((untrusted: Uint8Array): SimpleSigning => {
  const document = readJsonFields(untrusted, malformed);
  document.expectOnly('critical', 'optional');
  if (document.has('optional')) document.object('optional');
  const critical = document.object('critical');
  critical.expectOnly('identity', 'image', 'type');
  if (critical.text('type') !== type) throw malformed(`critical.type is not ${quoted(type)}`);
  const identity = critical.object('identity');
  identity.expectOnly('docker-reference');
  const image = critical.object('image');
  image.expectOnly('docker-manifest-digest');
  return {
    manifestDigest: image.text('docker-manifest-digest'),
    dockerReference: identity.text('docker-reference'),
  };
});

/** A colon before the last slash begins a port, after it a tag. */
function splitReference(text: string): { repository: string; digest: string | undefined } {
  const [, path = text, digest] = /^([^@]*)(?:@(.*))?$/s.exec(text) ?? [];
  const colon = path.indexOf(':', path.lastIndexOf('/') + 1);
  const isTagged = colon > 0 && path.includes('/');
  return { repository: isTagged ? path.slice(0, colon) : path, digest };
}

function isKnown(repository: string, { scope, aliases, signedAs }: KnownNames): boolean {
  if (repository === scope || aliases.includes(repository)) return true;
  return signedAs.some((name) => repository === name || repository.startsWith(`${name}/`));
}

function malformed(why: string, cause?: unknown): EnvelopeError {
  return new EnvelopeError('COSIGN_MALFORMED', `not a payload of cosign: ${why}`, { cause });
}
