import { createHash } from 'node:crypto';
import { randomHex } from '../kernel/clock.ts';
import { algorithmOf, type Digest, encodedOf } from '../oci/digest.ts';
import type { KeptKey } from './manifest-store.ts';

/** Where things are in the bucket. Nobody's text is in a key: digests, hashes and random names. */
export interface S3Keys {
  /** Content that is whole. */
  blob(digest: Digest): string;
  /** A manifest of one repository. */
  kept(key: KeptKey): string;
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
  const allStaging = `${prefix}/tmp/`;
  const allQuarantine = `${prefix}/quarantine/`;
  return {
    blob: (digest) => `${prefix}/blobs/${algorithmOf(digest)}/${encodedOf(digest)}`,
    kept({ kind, place, digest }) {
      const folder = createHash('sha256').update(place).digest('hex').slice(0, 32);
      return `${prefix}/kept/${kind}/${folder}/${algorithmOf(digest)}-${encodedOf(digest)}`;
    },
    staging: () => `${allStaging}${randomHex(16)}`,
    allStaging,
    allUploads: [allStaging, `${prefix}/blobs/`],
    quarantine: (digest) =>
      `${allQuarantine}${algorithmOf(digest)}-${encodedOf(digest)}-${randomHex(4)}`,
    allQuarantine,
    probe: `${prefix}/probe`,
  };
}
