import type { Metrics } from '../observe/metric-list.ts';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import type { ContentName, StoredBlob } from '../storage/blob-store.ts';
import type { OpenToShare } from '../storage/shared-content.ts';
import type { ContentSource } from './content-source.ts';
import type { SharedTier } from './shared-fill.ts';

export interface HandoverOptions {
  /** The location in nginx that has the store's `blobs` folder, with slashes around it. */
  readonly accelLocation?: string | undefined;
  /** Whether clients are sent to what replicas share. */
  readonly redirects: boolean;
}

export interface HandoverDependencies {
  /** What is stored here; notes that it was asked for. */
  readonly open: (content: ContentName) => Promise<StoredBlob | undefined>;
  readonly openToShare: (content: ContentName) => OpenToShare;
  readonly shared: Pick<SharedTier, 'content'> | undefined;
  readonly metrics: Metrics | undefined;
}

/** What is smaller is sent at once by ourselves. */
const minBytes = 64 * 1024;

/** Only what is whole in the store of this process was verified; all else it sends itself. */
export function makeHandover(
  { open, openToShare, shared, metrics }: HandoverDependencies,
  { accelLocation, redirects }: HandoverOptions,
): NonNullable<ContentSource['handOver']> {
  return async (_path, content, { proxyLocation }, signal) => {
    const isByNginx = accelLocation !== undefined && accelLocation === proxyLocation;
    if (content.size < minBytes || !(isByNginx || redirects)) return undefined;
    const stored = await open(content);
    if (stored === undefined) return undefined;
    // It was there: what its file's end may fail with says nothing against that.
    await stored.close().catch(() => undefined);
    if (isByNginx) {
      metrics?.count('assay_blob_handovers_total', { to: 'nginx' });
      const { digest } = content;
      return { to: 'nginx', path: `${accelLocation}${algorithmOf(digest)}/${encodedOf(digest)}` };
    }
    const url = await shared?.content.urlFor(content, openToShare(content), signal);
    if (url === undefined) return undefined;
    metrics?.count('assay_blob_handovers_total', { to: 's3' });
    return { to: 's3', url };
  };
}
