import type { StoreUsage } from './blob-store.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { algorithms, parseStagingName, type StoreFolder } from './store-folder.ts';
import { join } from 'node:path';

/** What the store takes: counted once, and kept up to date by what this process does. */
export interface StoreUsageCounter {
  read(count?: 'anew'): Promise<StoreUsage>;
  added(bytes: number): void;
  removed(bytes: number): void;
  /** Whether the file system has room for so many bytes more and a reserve beside. */
  hasRoom(bytes: number): Promise<boolean>;
}

/** How processes on the same store tell each other what they added, or removed (below 0). */
export interface UsageNews {
  tell(change: Readonly<Sum>): void;
  /** Calls the listener with what others tell. */
  follow(listener: (change: Readonly<Sum>) => void): void;
}

interface Sum {
  files: number;
  bytes: number;
}

/** Other things live on the same disk, such as the state: a twentieth is theirs, or 64 MiB. */
const maxReserveBytes = 64 * 1024 * 1024;
const reserveShare = 0.05;
/** A part, a journal, a lease, and their drafts, of a few at the same time. */
const reserveFiles = 16;

function reserveOf(totalBytes: number): number {
  return Math.min(maxReserveBytes, totalBytes * reserveShare);
}

/** Without `news`, what other processes do is seen when all is counted anew. */
export function makeStoreUsage(
  folder: StoreFolder,
  files: FileSystem,
  news?: UsageNews,
): StoreUsageCounter {
  const { change, changed } = followChanges(news);
  let counting: Promise<Sum> | undefined;
  const countBlobs = async (): Promise<Sum> => {
    const before = { ...change };
    const sum: Sum = { files: 0, bytes: 0 };
    for (const algorithm of algorithms) {
      await addFolder(sum, folder.blobs(algorithm), files, () => true);
    }
    return { files: sum.files - before.files, bytes: sum.bytes - before.bytes };
  };
  const count = (): Promise<Sum> => {
    counting ??= countBlobs().catch((error: unknown) => {
      counting = undefined;
      throw error;
    });
    return counting;
  };
  const freeOf = async (): Promise<Free | undefined> => {
    const { bsize, bavail, blocks, ffree, files: inodes } = await files.statfs(folder.staging);
    if (blocks === 0) return undefined;
    // Some file systems (btrfs) make inodes as they are needed, and state none.
    const free = { bytes: bavail * bsize, files: inodes === 0 ? Infinity : ffree };
    return { ...free, total: blocks * bsize };
  };
  return {
    async read(how) {
      if (how === 'anew') counting = undefined;
      const blobs = await count();
      const partial: Sum = { files: 0, bytes: 0 };
      await addFolder(
        partial,
        folder.staging,
        files,
        (name) => parseStagingName(name)?.kind === 'part',
      );
      const quarantined: Sum = { files: 0, bytes: 0 };
      await addFolder(quarantined, folder.quarantine, files, () => true);
      return {
        blobs: { files: blobs.files + change.files, bytes: blobs.bytes + change.bytes },
        partial,
        quarantined,
        ...toSpace(await freeOf()),
      };
    },
    added: (bytes) => changed({ files: 1, bytes }),
    removed: (bytes) => changed({ files: -1, bytes: -bytes }),
    async hasRoom(bytes) {
      const free = await freeOf();
      if (free === undefined) return true;
      return free.bytes - bytes >= reserveOf(free.total) && free.files >= reserveFiles;
    },
  };
}

/** What this process and the others have added and removed so far. */
function followChanges(news: UsageNews | undefined) {
  const change: Sum = { files: 0, bytes: 0 };
  const apply = (by: Readonly<Sum>): void => {
    change.files += by.files;
    change.bytes += by.bytes;
  };
  news?.follow(apply);
  const changed = (by: Readonly<Sum>): void => {
    apply(by);
    news?.tell(by);
  };
  return { change, changed };
}

interface Free extends Sum {
  readonly total: number;
}

function toSpace(free: Free | undefined): Pick<StoreUsage, 'free' | 'reserve'> {
  if (free === undefined) return { free };
  const { bytes, files, total } = free;
  return { free: { bytes, files }, reserve: { bytes: reserveOf(total), files: reserveFiles } };
}

async function addFolder(
  sum: Sum,
  path: string,
  files: FileSystem,
  counts: (name: string) => boolean,
): Promise<void> {
  for await (const { name } of await files.opendir(path)) {
    if (!counts(name)) continue;
    const found = await unlessAbsent(files.stat(join(path, name)));
    if (found === undefined || !found.isFile()) continue;
    sum.files += 1;
    sum.bytes += found.size;
  }
}
