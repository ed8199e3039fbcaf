import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { type BadFiles, makeBadFiles } from './bad-files.ts';
import { beginContent, type Reserve } from './begin-content.ts';
import type { BlobStore, StoredInfo } from './blob-store.ts';
import { type FileSystem, systemFiles } from './file-system.ts';
import { followPartial } from './followed.ts';
import { moveAway } from './move-away.ts';
import { openStoreDisk, type StoreDisk } from './store-disk.ts';
import { algorithms } from './store-folder.ts';
import { openStored, type StoredContentDependencies } from './stored-content.ts';
import type { UsageNews } from './store-usage.ts';
import { makeUpkeep } from './upkeep.ts';

export interface FsBlobStoreOptions {
  /** `blobs`, `staging`, `trash` and `quarantine` are made in it. */
  readonly path: string;
  /** After the disk failed, nothing is written for so long. */
  readonly readOnlyMs?: number;
  /** A writer that wrote nothing for so long keeps nobody from storing the same content. */
  readonly silentMs?: number;
  /** Partial content that nobody asked for is deleted after so long. */
  readonly keepPartialMs?: number;
  /** `always`: what is read is hashed on its way, and its end withheld until the hash matches. */
  readonly verifyOnRead?: 'always' | 'never';
}

export interface FsBlobStoreDependencies {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  readonly log?: Log | undefined;
  /** The operating system's, unless told. */
  readonly files?: FileSystem | undefined;
  /**
   * Asked for room before content is begun, and given it back with the staging's end. Undefined:
   * the content is not to be stored.
   */
  readonly reserve?: Reserve | undefined;
  /** Undefined: what other processes do is seen when all is counted anew. */
  readonly news?: UsageNews | undefined;
}

/** A blob store in a folder. Throws `StorageError` where the folder can't be made. */
export async function openFsBlobStore(
  options: FsBlobStoreOptions,
  dependencies: FsBlobStoreDependencies,
): Promise<BlobStore> {
  const { path, readOnlyMs = 30_000, silentMs = 300_000, keepPartialMs = 86_400_000 } = options;
  const { verifyOnRead = 'never' } = options;
  const { clock, metrics, log, files = systemFiles, reserve, news } = dependencies;
  const observed = { clock, metrics, log };
  const disk = await openStoreDisk({ path, readOnlyMs, silentMs }, { ...observed, files, news });
  const { folder, trouble, usage, leases } = disk;
  const badFiles = makeBadFiles(disk, observed);
  const background = new Set<Promise<unknown>>();
  const inBackground = (work: Promise<unknown>): void => {
    const ending = work
      .catch(() => disk.countError('write'))
      .finally(() => background.delete(ending));
    background.add(ending);
  };
  const termsOf = makeReadTerms(disk, verifyOnRead, badFiles, { metrics, inBackground });

  return {
    open: (content, as) =>
      disk.reading(content.digest, () =>
        openStored(folder.blob(content.digest), content, disk.openFiles, {
          files,
          clock,
          ...termsOf(content.digest),
          ...(as === 'inspection' && inspection),
        }),
      ),
    begin: (content, beside) =>
      disk.writing(content.digest, () => beginContent(content, disk, reserve, beside)),
    follow: (content) =>
      disk.reading(content.digest, () => followPartial(content, leases, folder, files)),
    stat: (digest) => disk.reading(digest, () => disk.infoOf(digest)),
    list: () => listStored(disk),
    remove: (digest, into = 'trash') =>
      disk.writing(digest, async () => {
        const { isRemoved, rest } = await moveAway(digest, into, disk);
        badFiles.forget(digest);
        if (rest !== undefined) inBackground(files.unlink(rest));
        return isRemoved;
      }),
    usage: (count) => disk.reading('the usage of the store', () => usage.read(count)),
    health: () => trouble.health(),
    ...makeUpkeep(disk, { silentMs, keepPartialMs }),
    async close() {
      await Promise.all(background);
    },
  };
}

/** A scrub has its own way with what is bad, and looks at what is known to be. */
const inspection = {
  isAskedFor: false,
  verify: 'never',
  isBad: () => false,
  onRead() {},
  onBad() {},
} as const;

type ReadTerms = Omit<StoredContentDependencies, 'files' | 'clock'>;

/** How content is read that somebody asked for. */
function makeReadTerms(
  disk: StoreDisk,
  verify: 'always' | 'never',
  badFiles: BadFiles,
  { metrics, inBackground }: ReadObservers,
): (digest: Digest) => ReadTerms {
  return (digest) => ({
    isAskedFor: true,
    verify,
    isBad(ino) {
      if (!badFiles.has(digest, ino)) return false;
      inBackground(badFiles.tryAgain(digest));
      return true;
    },
    onWrongSize: () => disk.countError('size'),
    onRead: (bytes) => metrics?.count('assay_bytes_saved_total', { tier: 'stored' }, bytes),
    onBad(ino, because) {
      if (because === 'can not be read') disk.countError('read');
      inBackground(badFiles.putAside(digest, ino, because));
    },
  });
}

interface ReadObservers {
  readonly metrics: Metrics | undefined;
  readonly inBackground: (work: Promise<unknown>) => void;
}

async function* listStored(disk: StoreDisk): AsyncGenerator<StoredInfo> {
  const { folder, files } = disk;
  for (const algorithm of algorithms) {
    const path = folder.blobs(algorithm);
    for await (const { name } of await disk.reading(path, () => files.opendir(path))) {
      const digest = parseDigest(`${algorithm}:${name}`);
      const info = digest && (await disk.reading(digest, () => disk.infoOf(digest)));
      if (info !== undefined) yield info;
    }
  }
}
