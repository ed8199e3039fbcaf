import type { SignatureFormat, UntrustedEnvelope } from '../formats/signature-format.ts';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, matchesDigest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import {
  artifactTypeOf,
  type ImageManifest,
  type Manifest,
  readManifest,
} from '../oci/manifest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';

/** What one referrer turned out to be. */
export type Candidate =
  | {
      readonly kind: 'signature';
      readonly digest: Digest;
      readonly format: SignatureFormat;
      readonly untrusted: UntrustedEnvelope;
    }
  /** A signature by its shape that can't be one: counts as untrusted. */
  | {
      readonly kind: 'broken';
      readonly digest: Digest;
      readonly format: string;
      readonly because: string;
    }
  /** It could not be fetched: counts as inconclusive. */
  | { readonly kind: 'unfetched'; readonly digest: Digest; readonly because: string }
  /** Something else that refers to the subject, such as an SBOM, or to another subject. */
  | { readonly kind: 'other'; readonly digest: Digest; readonly because: string };

/** Fetches one referrer by its digest and reads what it is; its descriptor is only a hint. */
export async function readCandidate(
  hint: Descriptor,
  subject: Digest,
  from: { source: ContentSource; path: RepositoryPath; formats: readonly SignatureFormat[] },
  signal: AbortSignal,
): Promise<Candidate> {
  const { digest } = hint;
  try {
    const content = await from.source.fetchManifest(from.path, { digest }, signal);
    if (content === undefined) {
      return { kind: 'other', digest, because: 'listed, but it does not exist' };
    }
    // By its bytes alone: a Content-Type is under no digest, and says nothing of a signature.
    const manifest = readManifest(content.bytes, undefined);
    const stranger = strangerTo(manifest, subject);
    if (stranger !== undefined) return { kind: 'other', digest, because: stranger };
    const image = manifest as ImageManifest;
    const format = from.formats.find((candidate) => candidate.envelopesOf(image).length > 0);
    if (format === undefined) return toUnrecognized(image, digest, from.formats);
    return await readEnvelope(image, digest, format, from, signal);
  } catch (error) {
    return toFailedCandidate(error, digest);
  }
}

async function readEnvelope(
  manifest: ImageManifest,
  digest: Digest,
  format: SignatureFormat,
  from: { source: ContentSource; path: RepositoryPath },
  signal: AbortSignal,
): Promise<Candidate> {
  const broken = (because: string): Candidate => ({
    kind: 'broken',
    digest,
    format: format.id,
    because,
  });
  const [layer] = format.envelopesOf(manifest);
  if (layer === undefined) return broken('it has no envelope');
  if (layer.size > format.maxEnvelopeBytes) {
    return broken(`its envelope is larger than ${format.maxEnvelopeBytes} bytes`);
  }
  const blob = await from.source.openBlob(from.path, layer.digest, signal);
  if (blob === undefined) return broken(`its envelope ${layer.digest} does not exist`);
  try {
    // An answer of another length is wrong before its first byte comes.
    if (blob.size === undefined || blob.size === layer.size) {
      const bytes = await readBounded(blob.stream, layer.size, `envelope ${layer.digest}`);
      if (bytes.byteLength === layer.size && matchesDigest(bytes, layer.digest)) {
        const untrusted = { bytes, annotations: layer.annotations ?? {} };
        return { kind: 'signature', digest, format, untrusted };
      }
    }
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
  } finally {
    blob.stream.destroy();
  }
  // The upstream's answer is wrong, not the signature: another try may bring the right bytes.
  const because = `the upstream's bytes of envelope ${layer.digest} are not what the digest names`;
  return { kind: 'unfetched', digest, because };
}

/** A list of referrers is a hint: GHCR answers a missing fallback tag with the image itself. */
function strangerTo(manifest: Manifest, subject: Digest): string | undefined {
  if (manifest.subject?.digest !== subject) return 'its subject is another';
  return manifest.kind === 'image' ? undefined : 'an index is not a signature';
}

/** What has a signature's type and not its shape is a signature that is broken. */
function toUnrecognized(
  manifest: ImageManifest,
  digest: Digest,
  formats: readonly SignatureFormat[],
): Candidate {
  const type = artifactTypeOf(manifest) ?? '';
  return formats.some(({ artifactTypes }) => artifactTypes.includes(type))
    ? { kind: 'broken', digest, format: 'unknown', because: `not the shape of ${quoted(type)}` }
    : { kind: 'other', digest, because: `not a signature: ${quoted(type)}` };
}

function toFailedCandidate(error: unknown, digest: Digest): Candidate {
  if (error instanceof MalformedError) {
    return { kind: 'broken', digest, format: 'unknown', because: error.message };
  }
  const because = error instanceof TaggedError ? error.message : `it failed: ${messageOf(error)}`;
  return { kind: 'unfetched', digest, because };
}
