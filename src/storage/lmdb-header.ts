import { type FileHandle, open } from 'node:fs/promises';
import { StorageError } from './storage-error.ts';

const magic = 0xbeefc0de;
/** Offsets in a meta page of LMDB's format 2, as lmdb-js writes it (lmdb.h and mdb.c, MDB_meta). */
const offsets = { magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152 } as const;
const metaBytes = 160;
const formatVersion = 2;

/**
 * Refuses a database file that LMDB could not open safely. LMDB maps the file and believes it: of
 * a damaged header or a file cut short it dies by a signal, which nobody could catch. Only the two
 * header pages and the length are looked at; the pages in use may change under our eyes, since
 * other processes write. An absent or empty file is a new database.
 */
export async function checkLmdbFile(path: string): Promise<void> {
  const file = await openIfPresent(path);
  if (file === undefined) return;
  try {
    const first = await readMeta(file, 0);
    if (first === undefined) {
      if ((await file.stat()).size === 0) return;
      throw damaged(path, 'its first page is no header');
    }
    const second = await readMeta(file, first.pageSize);
    if (second === undefined) throw damaged(path, 'its second page is no header');
    const current = second.transaction > first.transaction ? second : first;
    // The length is read after the headers, so that growth by another process only adds to it.
    const { size } = await file.stat();
    if (BigInt(size) < (current.lastPage + 1n) * BigInt(first.pageSize)) {
      throw damaged(path, 'it is shorter than its header says');
    }
  } finally {
    await file.close();
  }
}

interface Meta {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

async function readMeta(file: FileHandle, position: number): Promise<Meta | undefined> {
  const page = Buffer.alloc(metaBytes);
  const { bytesRead } = await file.read(page, 0, metaBytes, position);
  if (bytesRead < metaBytes) return undefined;
  const pageSize = page.readUInt32LE(offsets.pageSize);
  const known =
    page.readUInt32LE(offsets.magic) === magic &&
    page.readUInt32LE(offsets.version) === formatVersion &&
    pageSize >= 4096 &&
    pageSize <= 65536;
  if (!known) return undefined;
  return {
    pageSize,
    lastPage: page.readBigUInt64LE(offsets.lastPage),
    transaction: page.readBigUInt64LE(offsets.transaction),
  };
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StorageError('STORAGE_FAILED', `the state database ${path} can't be read`, {
      cause: error,
    });
  }
}

function damaged(path: string, how: string): StorageError {
  return new StorageError(
    'STORAGE_FAILED',
    `the state database ${path} is damaged: ${how}; move it away, and a new one is made`,
  );
}
