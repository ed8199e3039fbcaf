import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Digest } from '../oci/digest.ts';
import type { StoredInfo, StoreHealth } from './blob-store.ts';
import { type DiskTrouble, makeDiskTrouble } from './disk-trouble.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { type Leases, makeLeases } from './lease.ts';
import { type ProcessIdentity, readOwnIdentity } from './process-identity.ts';
import { StorageError } from './storage-error.ts';
import { makeFolders, makeStoreFolder, type StoreFolder } from './store-folder.ts';
import { makeStoreUsage, type StoreUsageCounter, type UsageNews } from './store-usage.ts';
import { countOpenFiles, type OpenFiles } from './stored-content.ts';
import { type InTurn, makeTurns } from './turns.ts';

/** A store's folder, and what this process knows and counts of it. */
export interface StoreDisk {
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly own: ProcessIdentity;
  readonly leases: Leases;
  readonly trouble: DiskTrouble;
  readonly usage: StoreUsageCounter;
  readonly openFiles: OpenFiles;
  /**
   * For what waits for the disk itself. Node has four threads for all files: without it, a few
   * files that are slow to be made durable would keep everybody from reading.
   */
  readonly inTurn: InTurn;
  infoOf(digest: Digest): Promise<StoredInfo | undefined>;
  countError(operation: StoreOperation): void;
  onWriteFailure(error: unknown): void;
  /** Failures become a `StorageError` that names what was to be read or written. */
  reading<T>(what: string, work: () => Promise<T>): Promise<T>;
  writing<T>(what: string, work: () => Promise<T>): Promise<T>;
}

export type StoreOperation = 'read' | 'write' | 'size';

export interface StoreDiskDependencies {
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  readonly log?: Log | undefined;
  readonly news?: UsageNews | undefined;
}

export interface StoreDiskOptions {
  readonly path: string;
  readonly readOnlyMs: number;
  readonly silentMs: number;
}

/** Makes the folders where they are not there; throws `StorageError` if it can't. */
export async function openStoreDisk(
  { path, readOnlyMs, silentMs }: StoreDiskOptions,
  { files, clock, metrics, log, news }: StoreDiskDependencies,
): Promise<StoreDisk> {
  const folder = makeStoreFolder(path);
  await makeFolders(folder, files).catch((error: unknown) => {
    throw failed(`the folders in ${path}`, 'made', error);
  });
  const own = await readOwnIdentity(files);
  const trouble = makeDiskTrouble(clock, readOnlyMs, (health) => {
    metrics?.set('assay_store_writable', {}, health.state === 'writable' ? 1 : 0);
    tell(health, log);
  });
  const openFiles = countOpenFiles();
  const countError = (operation: StoreOperation): void =>
    metrics?.count('assay_store_errors_total', { operation });
  const onWriteFailure = (error: unknown): void => {
    countError('write');
    trouble.note(error);
  };
  return {
    folder,
    files,
    clock,
    own,
    leases: makeLeases({ folder, files, clock, own, silentMs }),
    trouble,
    usage: makeStoreUsage(folder, files, news),
    openFiles,
    inTurn: makeTurns(),
    countError,
    onWriteFailure,
    async infoOf(digest) {
      const found = await unlessAbsent(files.stat(folder.blob(digest)));
      if (found === undefined || !found.isFile()) return undefined;
      const { size, mtime: lastAccess } = found;
      return { digest, size, lastAccess, isOpen: openFiles.has(digest) };
    },
    reading: (what, work) => translated(work, what, 'read', () => countError('read')),
    writing: (what, work) => translated(work, what, 'stored', onWriteFailure),
  };
}

function tell(health: StoreHealth, log: Log | undefined): void {
  if (health.state === 'writable') log?.info({}, 'content is stored again');
  else log?.warn({ because: health.because }, 'content is not stored for a while');
}

async function translated<T>(
  work: () => Promise<T>,
  what: string,
  verb: string,
  onFailure: (error: unknown) => void,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    onFailure(error);
    throw failed(what, verb, error);
  }
}

function failed(what: string, verb: string, cause: unknown): StorageError {
  const message = `${what} can't be ${verb}: ${messageOf(cause)}`;
  return new StorageError('STORAGE_FAILED', message, { cause });
}
