import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open } from 'lmdb';
import { toKeyBytes } from './key-bytes.ts';
import type { KeyValue, KeyValueEntry } from './key-value.ts';
import { checkLmdbFile } from './lmdb-header.ts';
import { type LmdbDatabase, makeLmdbWrites } from './lmdb-writes.ts';
import { StorageError } from './storage-error.ts';

/**
 * Values in an LMDB database in `folder`, made if it is not there. Several processes may have it
 * open, as a command beside a live server does; a write by one is seen by the next read of any.
 * The file grows as it must. Throws `StorageError` if it can't be opened or is damaged.
 */
export async function openLmdbKeyValue(folder: string): Promise<KeyValue> {
  const database = await openDatabase(folder);
  const write = makeLmdbWrites(database);
  let closed = false;
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (closed) {
      throw new StorageError('STORAGE_FAILED', `the state database in ${folder} is closed`);
    }
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw failed(folder, error);
    }
  };
  return {
    get: (key) =>
      attempt(() => {
        const keyBytes = toKeyBytes(key);
        // The library keeps one snapshot for a turn of the event loop: too old for what another
        // process wrote meanwhile.
        database.resetReadTxn();
        return database.getBinary(keyBytes);
      }),
    put: (key, value) =>
      // A copy, since the library reads the bytes later, on a thread of its own.
      attempt(() => write(toKeyBytes(key), Buffer.from(value))),
    delete: (key) => attempt(() => write(toKeyBytes(key), undefined)),
    keys: (prefix, limit) => attempt(() => readKeys(database, prefix, limit)),
    entries: (prefix, limit) => attempt(() => readEntries(database, prefix, limit)),
    async close() {
      if (closed) return;
      closed = true;
      await closeWithin(database, closeDeadlineMs);
    },
  };
}

const closeDeadlineMs = 5_000;

/** After a commit that failed the library waits for ever for its flush; we don't. */
async function closeWithin(database: LmdbDatabase, deadlineMs: number): Promise<void> {
  const timer = new AbortController();
  const deadline = delay(deadlineMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([database.close(), deadline]);
  timer.abort();
}

async function openDatabase(folder: string): Promise<LmdbDatabase> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await checkLmdbFile(join(folder, 'data.mdb'));
    return open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      // With it the library makes a promise of its own for each batch, whose rejection on a full
      // disk nobody could handle, and the process would end.
      eventTurnBatching: false,
    });
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('STORAGE_FAILED', `the state database in ${folder} can't be opened`, {
      cause: error,
    });
  }
}

function readKeys(database: LmdbDatabase, prefix: string, limit: number): readonly string[] {
  const found: string[] = [];
  if (limit <= 0) return found;
  database.resetReadTxn();
  const start = prefix === '' ? {} : { start: toKeyBytes(prefix) };
  for (const bytes of database.getKeys({ ...start, limit })) {
    const key = bytes.toString();
    if (!key.startsWith(prefix)) break;
    found.push(key);
  }
  return found;
}

function readEntries(
  database: LmdbDatabase,
  prefix: string,
  limit: number,
): readonly KeyValueEntry[] {
  return readKeys(database, prefix, limit).flatMap((key) => {
    const value = database.getBinary(toKeyBytes(key));
    return value === undefined ? [] : [{ key, value }];
  });
}

function failed(folder: string, cause: unknown): StorageError {
  const detail = cause instanceof Error ? `: ${cause.message}` : '';
  return new StorageError('STORAGE_FAILED', `the state database in ${folder} failed${detail}`, {
    cause,
  });
}
