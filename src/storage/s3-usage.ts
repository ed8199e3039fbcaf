import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';
import { listObjects } from './s3-listing.ts';
import type { SharedAmount } from './s3-purge.ts';

/** What is in the bucket. */
export interface SharedUsage {
  readonly blobs: SharedAmount;
  readonly kept: SharedAmount;
  /** On its way, or left by what died; parts of uploads are not counted. */
  readonly partial: SharedAmount;
  readonly quarantined: SharedAmount;
}

/** Lists all of it: a request for each thousand objects. Throws `StorageError`. */
export async function measureS3(
  { link, keys }: { readonly link: S3Link; readonly keys: S3Keys },
  signal: AbortSignal,
): Promise<SharedUsage> {
  const measure = async (prefix: string): Promise<SharedAmount> => {
    const sum = { files: 0, bytes: 0 };
    for await (const { size } of listObjects(link, { prefix }, signal)) {
      sum.files += 1;
      sum.bytes += size;
    }
    return sum;
  };
  return {
    blobs: await measure(keys.allBlobs),
    kept: await measure(keys.allKept),
    partial: await measure(keys.allStaging),
    quarantined: await measure(keys.allQuarantine),
  };
}
