import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore, ContentName, StoredBlob } from '../storage/blob-store.ts';
import type { BlobsAtHand } from '../storage/blob-memory.ts';
import type { Fills } from '../storage/fill.ts';
import type { BlobContent, BlobRange, ContentSource } from './content-source.ts';
import { type HandoverOptions, makeHandover } from './hand-over.ts';
import { makeFillSources, openStored } from './fill-sources.ts';
import type { SharedTier } from './shared-fill.ts';

export interface KeepBlobsDependencies {
  readonly store: BlobStore & Partial<BlobsAtHand>;
  readonly fills: Fills;
  readonly metrics?: Metrics | undefined;
  /** What other replicas have. */
  readonly shared?: SharedTier | undefined;
  readonly handsOver?: HandoverOptions | undefined;
}

/** Content that is stored between the look into the store and the fill. */
const maxTries = 2;

/**
 * A content source whose blobs are read from the store, or along with the fill that stores them.
 * Only blobs whose size the asker knows from an admitted parent take part. What is stored needs no
 * upstream. A store that fails costs speed and nothing else: upstream's bytes are passed on then.
 */
export function keepBlobs(
  source: ContentSource,
  upstream: string,
  dependencies: KeepBlobsDependencies,
): ContentSource {
  const { store, fills, metrics, shared, handsOver } = dependencies;
  const count = (tier: 'stored' | 'fill' | 'upstream'): void =>
    metrics?.count('assay_blob_reads_total', { tier });
  const sources = makeFillSources(source, upstream, dependencies);

  return {
    resolveTag: (...asked) => source.resolveTag(...asked),
    fetchManifest: (path, reference, signal) => source.fetchManifest(path, reference, signal),
    listTags: (path, query, signal) => source.listTags(path, query, signal),
    listReferrers: (path, digest, signal) => source.listReferrers(path, digest, signal),
    // Whether upstream has it: what we have says nothing about that.
    statBlob: (path, digest, signal) => source.statBlob(path, digest, signal),
    blobAtHand(_path, content) {
      const bytes = store.atHand?.(content);
      if (bytes !== undefined) count('stored');
      return bytes;
    },
    ...(handsOver !== undefined && {
      handOver: makeHandover(
        { open: (content) => openStored(store, content), ...sources, shared, metrics },
        handsOver,
      ),
    }),
    close: () => source.close(),
    async openBlob(path, digest, signal, wish = {}) {
      if (wish.size === undefined) return source.openBlob(path, digest, signal, wish);
      const content: ContentName = { digest, size: wish.size };
      const from = sources.sourceOf(path, content);
      for (let tries = 0; tries < maxTries; tries += 1) {
        // What is being filled need not be looked for.
        const stored = fills.isRunning(content, from)
          ? undefined
          : await openStored(store, content);
        if (stored !== undefined) {
          count('stored');
          return toContent(stored, wish.range);
        }
        const filling = await fills.open(content, wish.range, from, signal);
        if (filling === undefined) return undefined;
        if (filling === 'busy') break;
        if (filling === 'stored') continue;
        count('fill');
        return { ...filling, size: content.size, proof: 'withheld' };
      }
      count('upstream');
      return source.openBlob(path, digest, signal, { size: content.size });
    },
  };
}

function toContent(stored: StoredBlob, range: BlobRange | undefined): BlobContent {
  const { size } = stored;
  const first = range?.first ?? 0;
  const last = range?.last ?? size - 1;
  return { size, stream: stored.read(first, last + 1), range, proof: 'stored' };
}
