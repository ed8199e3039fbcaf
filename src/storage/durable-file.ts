import { dirname } from 'node:path';
import { readBounded } from '../kernel/bounded.ts';
import { randomHex } from '../kernel/clock.ts';
import { type FileSystem, systemFiles, unlessAbsent } from './file-system.ts';
import { StorageError } from './storage-error.ts';
import { syncFolder } from './store-folder.ts';
import { writeAll } from './write-all.ts';

/** A small file that is there whole or not at all, also after a power cut. */
export interface DurableFile {
  readonly path: string;
  /** Undefined where there is none. Throws `StorageError`, also for one that is too large. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves once it would survive a power cut. Throws `StorageError`; the former one stays then. */
  write(bytes: Uint8Array): Promise<void>;
}

/** Only its owner may read it, unless another mode is told, which the umask cuts. */
export function makeDurableFile(
  path: string,
  maxBytes: number,
  files: FileSystem = systemFiles,
  mode = 0o600,
): DurableFile {
  const failed = (what: string, cause: unknown): StorageError =>
    new StorageError('STORAGE_FAILED', `${path} can not be ${what}`, { cause });
  return {
    path,
    async read() {
      try {
        return await unlessAbsent(readWhole(path, maxBytes, files));
      } catch (cause) {
        throw failed('read', cause);
      }
    },
    async write(bytes) {
      const draft = `${path}.${randomHex(8)}`;
      try {
        await writeNew(draft, bytes, files, mode);
        await files.rename(draft, path);
        await syncFolder(dirname(path), files);
      } catch (cause) {
        await files.unlink(draft).catch(() => undefined);
        throw failed('written', cause);
      }
    },
  };
}

async function readWhole(path: string, maxBytes: number, files: FileSystem): Promise<Uint8Array> {
  const handle = await files.open(path, 'r');
  try {
    return await readBounded(handle.createReadStream({ autoClose: false }), maxBytes, path);
  } finally {
    await handle.close();
  }
}

async function writeNew(
  path: string,
  bytes: Uint8Array,
  files: FileSystem,
  mode: number,
): Promise<void> {
  const handle = await files.open(path, 'wx', mode);
  try {
    await writeAll(handle, [bytes], 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
