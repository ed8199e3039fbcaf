import type { Digest } from '../oci/digest.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';

/**
 * Moves an object that is not what its digest names to where a person may look at it, unless it is
 * another by now; where it can't be copied it is deleted all the same. Throws `StorageError`.
 */
export async function putObjectAside(
  { digest, etag }: { readonly digest: Digest; readonly etag: string },
  { link, keys }: { readonly link: S3Link; readonly keys: S3Keys },
): Promise<void> {
  const from = keys.blob(digest);
  const to = keys.quarantine(digest);
  const found = await link.ask('head', (s3, own) => s3.head(from, own));
  if (found?.etag !== etag) return;
  await link.ask('copy', (s3, own) => s3.copy({ from, etag, to }, own)).catch(() => undefined);
  await link.ask('remove', (s3, own) => s3.remove(from, own));
}
