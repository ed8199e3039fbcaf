import { createHash } from 'node:crypto';
import { randomHex } from '../kernel/clock.ts';
import { algorithmOf, type Digest, encodedOf, parseDigest } from '../oci/digest.ts';
import type { KeptKey } from './manifest-store.ts';

/** Where things are in the bucket. Nobody's text is in a key: digests, hashes and random names. */
export interface S3Keys {
  /** Content that is whole. */
  blob(digest: Digest): string;
  readonly allBlobs: string;
  /** Undefined for what is no key of content. */
  readonly digestOfBlob: (key: string) => Digest | undefined;
  /** A manifest of one repository. */
  kept(key: KeptKey): string;
  readonly allKept: string;
  readonly digestOfKept: (key: string) => Digest | undefined;
  /** For content that is on its way, a name of its own each time. */
  staging(): string;
  readonly allStaging: string;
  /** Where uploads in parts are made. */
  readonly allUploads: readonly string[];
  /** For an object that was not what its digest names. */
  quarantine(digest: Digest): string;
  readonly allQuarantine: string;
  /** Where nothing is. */
  readonly probe: string;
}

export function makeS3Keys(prefix: string): S3Keys {
  const allBlobs = `${prefix}/blobs/`;
  const allKept = `${prefix}/kept/`;
  const allStaging = `${prefix}/tmp/`;
  const allQuarantine = `${prefix}/quarantine/`;
  return {
    blob: (digest) => `${allBlobs}${algorithmOf(digest)}/${encodedOf(digest)}`,
    allBlobs,
    digestOfBlob: (key) =>
      key.startsWith(allBlobs)
        ? parseDigest(key.slice(allBlobs.length).replace('/', ':'))
        : undefined,
    kept({ kind, place, digest }) {
      const folder = createHash('sha256').update(place).digest('hex').slice(0, 32);
      return `${allKept}${kind}/${folder}/${algorithmOf(digest)}-${encodedOf(digest)}`;
    },
    allKept,
    digestOfKept: (key) =>
      key.startsWith(allKept)
        ? parseDigest(key.slice(key.lastIndexOf('/') + 1).replace('-', ':'))
        : undefined,
    staging: () => `${allStaging}${randomHex(16)}`,
    allStaging,
    allUploads: [allStaging, allBlobs],
    quarantine: (digest) =>
      `${allQuarantine}${algorithmOf(digest)}-${encodedOf(digest)}-${randomHex(4)}`,
    allQuarantine,
    probe: `${prefix}/probe`,
  };
}
