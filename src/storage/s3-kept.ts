import { readBounded } from '../kernel/bounded.ts';
import { matchesDigest } from '../oci/digest.ts';
import { decodeKept, encodeKept } from './manifest-store.ts';
import { type BodyLimits, withPatience } from './s3-body.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Dependencies, S3Link } from './s3-link.ts';
import type { SharedContent } from './shared-content.ts';

interface Parts {
  readonly link: S3Link;
  readonly keys: S3Keys;
  readonly limits: BodyLimits;
}

/** As large as a manifest may be, and its media type before it. */
export const maxKeptBytes = 4 * 1024 * 1024 + 256;

/** Manifests that replicas share. What does not have its digest counts as absent, and goes. */
export function makeS3Kept(
  { link, keys, limits }: Parts,
  { clock, metrics, log }: S3Dependencies,
): Pick<SharedContent, 'getKept' | 'putKept'> {
  return {
    async getKept(kept, signal) {
      const key = keys.kept(kept);
      try {
        const found = await link.ask('get', (s3, own) => s3.get(key, 0, own), { signal });
        if (found === undefined) return undefined;
        const body = withPatience(found.stream, limits, clock);
        const bytes = await readBounded(body, maxKeptBytes, 'a manifest in S3');
        const content = decodeKept(bytes);
        if (content !== undefined && matchesDigest(content.bytes, kept.digest)) return content;
        metrics.count('assay_s3_bad_objects_total', { because: 'bytes' });
        log.error({ digest: kept.digest }, 'a manifest in S3 is not what its digest names');
        await link.ask('remove', (s3, own) => s3.remove(key, own));
      } catch {
        // The link has counted it.
        signal.throwIfAborted();
      }
      return undefined;
    },
    async putKept(kept, content) {
      const bytes = encodeKept(content);
      const words = { digest: kept.digest };
      const key = keys.kept(kept);
      await link.ask('put', (s3, own) => s3.put(key, bytes, words, own)).catch(() => undefined);
    },
  };
}
