import { join } from 'node:path';
import { type Clock, randomHex } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { BlobStore, ContentName, Staging, StoredInfo } from './blob-store.ts';
import { makeDiskTrouble } from './disk-trouble.ts';
import { type FileSystem, systemFiles, unlessAbsent } from './file-system.ts';
import { followPartial } from './followed.ts';
import { openStaging } from './fs-staging.ts';
import { type Lease, makeLeases } from './lease.ts';
import { readOwnIdentity } from './process-identity.ts';
import type { Reservation } from './room.ts';
import { StorageError } from './storage-error.ts';
import { algorithms, fileNameOf, makeFolders, makeStoreFolder } from './store-folder.ts';
import { makeStoreUsage } from './store-usage.ts';
import { countOpenFiles, openStored } from './stored-content.ts';
import { sweepStore } from './sweep.ts';

export interface FsBlobStoreOptions {
  /** `blobs`, `staging`, `trash` and `quarantine` are made in it. */
  readonly path: string;
  /** After the disk failed, nothing is written for so long. */
  readonly readOnlyMs?: number;
  /** A writer that wrote nothing for so long keeps nobody from storing the same content. */
  readonly silentMs?: number;
  /** Partial content that nobody asked for is deleted after so long. */
  readonly keepPartialMs?: number;
}

export interface FsBlobStoreDependencies {
  readonly clock: Clock;
  readonly metrics?: Metrics | undefined;
  /** The operating system's, unless told. */
  readonly files?: FileSystem | undefined;
  /**
   * Asked for room before content is begun, and given it back with the staging's end. Undefined:
   * the content is not to be stored.
   */
  readonly reserve?: ((bytes: number) => Promise<Reservation | undefined>) | undefined;
}

const noReservation: Reservation = { release() {} };

/** A blob store in a folder. Throws `StorageError` where the folder can't be made. */
export async function openFsBlobStore(
  options: FsBlobStoreOptions,
  dependencies: FsBlobStoreDependencies,
): Promise<BlobStore> {
  const { readOnlyMs = 30_000, silentMs = 5 * 60_000, keepPartialMs = 86_400_000 } = options;
  const { clock, metrics, files = systemFiles, reserve } = dependencies;
  const folder = makeStoreFolder(options.path);
  await makeFolders(folder, files).catch((error: unknown) => {
    throw failed(`the folders in ${options.path}`, 'made', error);
  });
  const own = await readOwnIdentity(files);
  const leases = makeLeases({ folder, files, clock, own, silentMs });
  const trouble = makeDiskTrouble(clock, readOnlyMs);
  const usage = makeStoreUsage(folder, files);
  const openFiles = countOpenFiles();
  const background = new Set<Promise<unknown>>();

  const countError = (operation: 'read' | 'write' | 'size'): void =>
    metrics?.count('assay_store_errors_total', { operation });
  const inBackground = (work: Promise<unknown>): void => {
    const ending = work.catch(() => countError('write')).finally(() => background.delete(ending));
    background.add(ending);
  };
  const onWriteFailure = (error: unknown): void => {
    countError('write');
    trouble.note(error);
  };
  const reading = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      countError('read');
      throw failed(what, 'read', error);
    }
  };
  const infoOf = async (digest: Digest): Promise<StoredInfo | undefined> => {
    const found = await unlessAbsent(files.stat(folder.blob(digest)));
    if (found === undefined || !found.isFile()) return undefined;
    return {
      digest,
      size: found.size,
      lastAccess: found.mtime,
      isOpen: openFiles.has(digest),
    };
  };
  const begin = async (
    content: ContentName,
    beside: 'beside' | undefined,
  ): Promise<Staging | 'taken' | 'stored'> => {
    const health = trouble.health();
    if (health.state === 'read-only') {
      throw new StorageError('STORAGE_FAILED', `nothing is stored for a while: ${health.because}`);
    }
    const room = reserve === undefined ? noReservation : await reserve(content.size);
    if (room === undefined || !(await usage.hasRoom(content.size))) {
      room?.release();
      throw new StorageError('STORAGE_FAILED', `there is no room to store ${content.digest}`);
    }
    const taking = beside === undefined ? leases.take(content.digest) : unleased();
    const taken = await taking.catch((error: unknown) => {
      room.release();
      throw error;
    });
    if (taken === undefined) {
      room.release();
      return 'taken';
    }
    const lease = {
      owner: taken.owner,
      release: () => {
        room.release();
        return taken.release();
      },
    };
    try {
      if ((await infoOf(content.digest))?.size !== content.size) {
        return await openStaging(content, lease, {
          folder,
          files,
          boot: own.boot,
          onFailure: onWriteFailure,
          onCommit: usage.added,
        });
      }
    } catch (error) {
      await lease.release().catch(onWriteFailure);
      throw error;
    }
    await lease.release();
    return 'stored';
  };

  return {
    open: (content, as) =>
      reading(content.digest, () =>
        openStored(folder.blob(content.digest), content, openFiles, {
          files,
          clock,
          onWrongSize: () => countError('size'),
          onRead: (bytes) => {
            if (as === 'inspection') return;
            metrics?.count('assay_bytes_saved_total', { tier: 'stored' }, bytes);
          },
          isAskedFor: as !== 'inspection',
        }),
      ),
    async begin(content, beside) {
      try {
        return await begin(content, beside);
      } catch (error) {
        if (error instanceof StorageError) throw error;
        onWriteFailure(error);
        throw failed(content.digest, 'stored', error);
      }
    },
    follow: (content) =>
      reading(content.digest, () => followPartial(content, leases, folder, files)),
    stat: (digest) => reading(digest, () => infoOf(digest)),
    async *list() {
      for (const algorithm of algorithms) {
        const entries = await reading('the stored blobs', () =>
          files.opendir(folder.blobs(algorithm)),
        );
        for await (const { name } of entries) {
          const digest = parseDigest(`${algorithm}:${name}`);
          const info = digest && (await reading(digest, () => infoOf(digest)));
          if (info !== undefined) yield info;
        }
      }
    },
    async remove(digest, into = 'trash') {
      const name = fileNameOf(digest);
      const target =
        into === 'trash'
          ? join(folder.trash, `${name}.${randomHex(8)}`)
          : join(folder.quarantine, name);
      const size = (await infoOf(digest))?.size ?? 0;
      try {
        const moved = files.rename(folder.blob(digest), target).then(() => true);
        if ((await unlessAbsent(moved)) === undefined) return false;
      } catch (error) {
        onWriteFailure(error);
        throw failed(digest, 'removed', error);
      }
      usage.removed(size);
      if (into === 'trash') inBackground(files.unlink(target));
      return true;
    },
    usage: (count) => reading('the usage of the store', () => usage.read(count)),
    health: trouble.health,
    sweep: (signal) =>
      reading('the leftovers of the store', () =>
        sweepStore({ folder, files, clock, leases, silentMs, keepPartialMs }, signal),
      ),
    async close() {
      await Promise.all(background);
    },
  };
}

/** An owner's name without the lease: its file is its own all the same. */
async function unleased(): Promise<Lease> {
  return { owner: randomHex(8), release: () => Promise.resolve() };
}

function failed(what: string, verb: string, cause: unknown): StorageError {
  const message = `${what} can't be ${verb}: ${messageOf(cause)}`;
  return new StorageError('STORAGE_FAILED', message, { cause });
}
