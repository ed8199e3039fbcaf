import type { Metrics } from '../observe/metric-list.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { BlobStore, ContentName, StoredBlob } from '../storage/blob-store.ts';
import type { Fills, FillSource } from '../storage/fill.ts';
import type { OpenToShare } from '../storage/shared-content.ts';
import type { ContentSource } from './content-source.ts';
import { makeSharedFill, type SharedTier } from './shared-fill.ts';

/** Where fills of an upstream get their content from. */
export interface FillSources {
  readonly sourceOf: (path: RepositoryPath, content: ContentName) => FillSource;
  /** The content as this process has it: along with its fill, or from the store. */
  readonly openToShare: (content: ContentName) => OpenToShare;
}

export interface FillSourcesDependencies {
  readonly store: BlobStore;
  readonly fills: Pick<Fills, 'follow'>;
  readonly metrics?: Metrics | undefined;
  readonly shared?: SharedTier | undefined;
}

export function makeFillSources(
  source: ContentSource,
  upstream: string,
  { store, fills, metrics, shared }: FillSourcesDependencies,
): FillSources {
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
  return { sourceOf, openToShare };
}

/** Whatever is wrong with the store, upstream may have the content. */
export async function openStored(
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
