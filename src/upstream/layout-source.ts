import { addAbortSignal } from 'node:stream';
import type { Metrics } from '../observe/metric-list.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, matchesDigest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { maxManifestBytes, readManifest } from '../oci/manifest.ts';
import { referenceSuffix, type Tag } from '../oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../oci/repository.ts';
import type { BlobContent, ContentSource, ManifestContent, TagPage } from './content-source.ts';
import { toUpstreamError } from './failure.ts';
import { type LayoutFiles, makeLayoutFiles } from './layout-files.ts';
import type { LayoutIndex } from './layout-index.ts';
import { mergeReferrers, readReferrersTag } from './layout-referrers.ts';
import { type LayoutSnapshot, rememberSnapshot } from './layout-snapshot.ts';
import { UpstreamError } from './upstream-error.ts';

export interface LayoutOptions {
  /** The configured key of the upstream: names it in errors and metrics. */
  readonly name: string;
  /** The folder that holds `oci-layout`, `index.json` and `blobs`, or the files of a layout. */
  readonly folder: string | LayoutFiles;
  /** The repository that plain ref names (`TAG`, not `PATH:TAG`) belong to; none unless told. */
  readonly repository?: string | undefined;
}

/**
 * An OCI image layout in a folder as an upstream. A repository is what some ref name of
 * index.json names (`readLayoutIndex`); by digest each of them has everything in the layout,
 * as blobs are shared. index.json is read again when it changes.
 */
export function makeLayoutSource(
  options: LayoutOptions,
  { metrics }: { readonly metrics?: Metrics | undefined } = {},
): ContentSource {
  const { name, folder, repository } = options;
  const plain = repository === undefined ? undefined : parseRepositoryPath(repository);
  if (repository !== undefined && plain === undefined) {
    throw new TypeError(`${repository} is no repository path`);
  }
  const files = typeof folder === 'string' ? makeLayoutFiles(folder) : folder;
  const inRepository = makeRepositoryView(name, rememberSnapshot(files, plain));
  const onMismatch = (): void => {
    metrics?.count('assay_content_mismatch_total', { upstream: name });
  };

  return {
    resolveTag: (path, tag, signal) =>
      inRepository(path, `tag ${path}:${tag}`, signal, ({ index }, tags) =>
        Promise.resolve(digestUnder(tag, tags, index)),
      ),
    fetchManifest: (path, reference, signal) => {
      const what = `manifest ${path}${referenceSuffix(reference)}`;
      return inRepository(path, what, signal, async ({ index }, tags) => {
        const digest =
          'tag' in reference ? digestUnder(reference.tag, tags, index) : reference.digest;
        if (digest === undefined) return undefined;
        return readLayoutManifest(files, index, digest, onMismatch);
      });
    },
    statBlob: (path, digest, signal) =>
      inRepository(path, `blob ${path}@${digest}`, signal, async () => {
        const opened = await files.openBlob(digest);
        await opened?.handle.close();
        return opened === undefined ? undefined : { size: opened.size };
      }),
    openBlob: (path, digest, signal) =>
      inRepository(path, `blob ${path}@${digest}`, signal, () => openBlob(files, digest, signal)),
    listTags: (path, { limit, last }, signal) =>
      inRepository(path, `tags of ${path}`, signal, (_snapshot, tags): Promise<TagPage> => {
        const sorted = [...tags.keys()].toSorted();
        const rest = last === undefined ? sorted : sorted.filter((tag) => tag > last);
        return Promise.resolve({ tags: rest.slice(0, limit), more: rest.length > limit });
      }),
    async listReferrers(path, digest, signal) {
      const what = `referrers of ${path}@${digest}`;
      const found = await inRepository(path, what, signal, async (snapshot) => {
        const bySubject = (await snapshot.referrers()).get(digest) ?? [];
        const byTag = await readReferrersTag(files, snapshot.index, path, digest);
        return mergeReferrers(bySubject, byTag);
      });
      return found ?? { found: [] };
    },
    close: () => Promise.resolve(),
  };
}

/** Runs work on a repository that exists; its failures name what was asked. */
type RepositoryView = <T>(
  path: RepositoryPath,
  what: string,
  signal: AbortSignal,
  work: (snapshot: LayoutSnapshot, tags: ReadonlyMap<Tag, Descriptor>) => Promise<T>,
) => Promise<T | undefined>;

function makeRepositoryView(
  upstream: string,
  current: () => Promise<LayoutSnapshot>,
): RepositoryView {
  return async (path, what, signal, work) => {
    signal.throwIfAborted();
    try {
      const snapshot = await current();
      const tags = snapshot.index.repositories.get(path);
      return tags === undefined ? undefined : await work(snapshot, tags);
    } catch (error) {
      throw toUpstreamError(error, `${what} from upstream ${upstream}`);
    }
  };
}

function digestUnder(
  tag: Tag,
  tags: ReadonlyMap<Tag, Descriptor>,
  { digestTags }: LayoutIndex,
): Digest | undefined {
  return (tags.get(tag) ?? digestTags.get(tag))?.digest;
}

async function readLayoutManifest(
  files: LayoutFiles,
  index: LayoutIndex,
  digest: Digest,
  onMismatch: () => void,
): Promise<ManifestContent | undefined> {
  const bytes = await files.readBlob(digest, maxManifestBytes);
  if (bytes === undefined) return undefined;
  if (!matchesDigest(bytes, digest)) {
    onMismatch();
    throw new UpstreamError('UPSTREAM_MISBEHAVED', `the file holds bytes that are not ${digest}`);
  }
  const contentType = index.listed.get(digest)?.mediaType;
  // A layout keeps all in one folder; a registry would not answer with a layer for a manifest.
  if (contentType === undefined && !isManifest(bytes)) return undefined;
  return { bytes, digest, contentType };
}

function isManifest(bytes: Uint8Array): boolean {
  try {
    readManifest(bytes, undefined);
    return true;
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

async function openBlob(
  files: LayoutFiles,
  digest: Digest,
  signal: AbortSignal,
): Promise<BlobContent | undefined> {
  const opened = await files.openBlob(digest);
  if (opened === undefined) return undefined;
  const stream = addAbortSignal(signal, opened.handle.createReadStream());
  return { size: opened.size, stream };
}
