import { Readable } from 'node:stream';
import { NotFoundError } from '../../src/gate/gate-error.ts';
import type {
  Admission,
  Gate,
  Trusted,
  TrustedBlob,
  TrustedManifest,
  TrustedReferrers,
  TrustedTags,
} from '../../src/gate/trusted-content.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { parseTag, type Tag } from '../../src/oci/reference.ts';
import type { Verdict } from '../../src/verdict/verdict.ts';

/** Content that a test declares admitted: the gate's brand without the gate. */
export function admitted<T>(content: T): Trusted<T> {
  return content as Trusted<T>;
}

export function makeAdmission(overrides: Partial<Admission> = {}): Admission {
  return {
    verdict: undefined,
    by: 'verdict',
    warnings: [],
    cache: 'memory',
    through: [],
    ...overrides,
  };
}

export function makeManifest(
  text: string,
  overrides: { mediaType?: string; warnings?: readonly string[] } = {},
): TrustedManifest {
  const bytes = Buffer.from(text);
  const descriptor: Descriptor = {
    mediaType: overrides.mediaType ?? mediaTypes.ociManifest,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  };
  const admission = makeAdmission({ warnings: overrides.warnings ?? [] });
  return admitted({ bytes, descriptor, admission });
}

/** A blob that is streamed; with `atHand` its bytes are there, as the gate keeps small ones. */
export function makeBlob(
  bytes: Uint8Array,
  overrides: Partial<Pick<TrustedBlob, 'open' | 'openRange'>> & {
    atHand?: boolean;
    mediaType?: string;
    warnings?: readonly string[];
  } = {},
): TrustedBlob {
  const {
    atHand = false,
    mediaType = mediaTypes.octets,
    warnings = [],
    open,
    openRange,
  } = overrides;
  return admitted({
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength },
    admission: makeAdmission({ warnings }),
    open: open ?? (async () => Readable.from(bytes.byteLength === 0 ? [] : [bytes])),
    ...(openRange !== undefined && { openRange }),
    ...(atHand && { bytes }),
  });
}

export function makeReferrers(descriptors: readonly Descriptor[]): TrustedReferrers {
  return admitted({ descriptors });
}

export function makeTags(names: readonly string[], more = false): TrustedTags {
  return admitted({ tags: names.map(tagOf), more });
}

export function tagOf(text: string): Tag {
  const tag = parseTag(text);
  if (tag === undefined) throw new TypeError(`${text} is no tag`);
  return tag;
}

export function makeVerdict(overrides: Partial<Verdict> = {}): Verdict {
  return {
    id: '7f3a9c',
    kind: 'untrusted',
    scope: 'demo/app',
    subject: `sha256:${'5'.repeat(64)}` as Digest,
    rule: 'rule 2 (line 14)',
    reason: 'unsigned',
    because: 'no signature was found',
    reports: [],
    children: [],
    checkedAt: new Date('2030-01-01T00:00:00Z'),
    expiresAt: new Date('2030-01-01T00:00:10Z'),
    ruleDigest: 'r',
    ...overrides,
  };
}

/** A gate that knows of nothing but what the test gives it. */
export function makeFakeGate(parts: Partial<Gate> = {}): Gate {
  const unknown = (code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'NAME_UNKNOWN') => async () => {
    throw new NotFoundError(code, 'there is nothing here');
  };
  return {
    manifestAtHand: () => undefined,
    blobAtHand: () => undefined,
    admitManifest: unknown('MANIFEST_UNKNOWN'),
    admitBlob: unknown('BLOB_UNKNOWN'),
    admitReferrers: unknown('MANIFEST_UNKNOWN'),
    whileSent: () => () => undefined,
    listTags: unknown('NAME_UNKNOWN'),
    ...parts,
  };
}
