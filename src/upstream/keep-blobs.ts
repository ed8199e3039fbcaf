import type { Metrics } from '../observe/metric-list.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { BlobStore, ContentName, StoredBlob } from '../storage/blob-store.ts';
import type { BlobsAtHand } from '../storage/blob-memory.ts';
import type { Fills, FillSource } from '../storage/fill.ts';
import type { OpenToShare } from '../storage/shared-content.ts';
import type { BlobContent, BlobRange, ContentSource } from './content-source.ts';
import { type HandoverOptions, makeHandover } from './hand-over.ts';
import { makeSharedFill, type SharedTier } from './shared-fill.ts';

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
  { store, fills, metrics, shared, handsOver }: KeepBlobsDependencies,
): ContentSource {
  const count = (tier: 'stored' | 'fill' | 'upstream'): void =>
    metrics?.count('assay_blob_reads_total', { tier });
  const fillSourceOf = (path: RepositoryPath, { digest, size }: ContentName): FillSource => ({
    name: upstream,
    async open({ start, validator }, signal) {
      const range = start === 0 ? undefined : { first: start };
      const wish = { size, range, ifRange: validator };
      const content = await source.openBlob(path, digest, signal, wish);
      return (
        content && {
          size: content.size,
          start: content.range?.first ?? 0,
          validator: content.etag,
          stream: content.stream,
        }
      );
    },
    onMismatch: () => metrics?.count('assay_content_mismatch_total', { upstream }),
  });
  const openToShare =
    (content: ContentName): OpenToShare =>
    async (signal) => {
      const growing = await fills.follow(content, { name: upstream }, signal);
      return growing ?? (await openStored(store, content, 'inspection'))?.read(0, content.size);
    };
  const sourceOf = (path: RepositoryPath, content: ContentName): FillSource => {
    const own = fillSourceOf(path, content);
    if (shared === undefined) return own;
    return makeSharedFill(content, own, shared, { open: openToShare(content) });
  };

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
        { open: (content) => openStored(store, content), openToShare, shared, metrics },
        handsOver,
      ),
    }),
    close: () => source.close(),
    async openBlob(path, digest, signal, wish = {}) {
      if (wish.size === undefined) return source.openBlob(path, digest, signal, wish);
      const content: ContentName = { digest, size: wish.size };
      const from = sourceOf(path, content);
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

/** Whatever is wrong with the store, upstream may have the content. */
async function openStored(
  store: BlobStore,
  content: ContentName,
  as?: 'inspection',
): Promise<StoredBlob | undefined> {
  try {
    return await store.open(content, as);
  } catch {
    // The store has counted it.
    return undefined;
  }
}

function toContent(stored: StoredBlob, range: BlobRange | undefined): BlobContent {
  const { size } = stored;
  const first = range?.first ?? 0;
  const last = range?.last ?? size - 1;
  return { size, stream: stored.read(first, last + 1), range, proof: 'stored' };
}
