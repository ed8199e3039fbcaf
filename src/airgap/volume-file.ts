import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '../oci/digest.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { syncFolder } from '../storage/store-folder.ts';
import { writeAll } from '../storage/write-all.ts';
import type { Volume } from './bundle.ts';
import { writeFailure } from './file-failure.ts';
import { writeVolumeHeader } from './volume-header.ts';
import { volumeName, type VolumeOwner } from './volume-list.ts';

export interface VolumeFileOptions extends VolumeOwner {
  readonly folder: string;
  readonly number: number;
  /** Memory for one chunk, which this file has for itself until it ends. */
  readonly chunk: Buffer;
  readonly files: FileSystem;
}

/** One volume as it grows; it has its name once it is whole. */
export interface VolumeFile {
  /** So far, the header included. */
  readonly bytes: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves once it would survive a power cut. */
  finish(): Promise<Volume>;
  /** Takes what is there away. */
  abandon(): Promise<void>;
}

/** Methods throw `AirgapError`: NO_SPACE, WRITE_FAILED. */
export async function openVolumeFile(options: VolumeFileOptions): Promise<VolumeFile> {
  const { folder, number, files } = options;
  const path = join(folder, volumeName(options, number));
  // Left behind by a run that was killed.
  await files.unlink(partOf(path)).catch(() => undefined);
  const handle = await files.open(partOf(path), 'wx').catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
  return new GrowingVolume(options, path, handle);
}

class GrowingVolume implements VolumeFile {
  readonly #options: VolumeFileOptions;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #chunks: Digest[] = [];
  /** Bytes in whole chunks, which are in the file, and behind them in memory. */
  #written = 0;
  #pending: number;

  constructor(options: VolumeFileOptions, path: string, handle: FileHandle) {
    this.#options = options;
    this.#path = path;
    this.#handle = handle;
    const { stream, sequence, number, chunk } = options;
    this.#pending = writeVolumeHeader({ stream, sequence, volume: number }).copy(chunk);
  }

  get bytes(): number {
    return this.#written + this.#pending;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { chunk } = this.#options;
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#pending === chunk.length) await this.#flush();
      const taken = rest.subarray(0, chunk.length - this.#pending);
      chunk.set(taken, this.#pending);
      this.#pending += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  async finish(): Promise<Volume> {
    const { number, folder, files } = this.#options;
    await this.#flush();
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await files.rename(partOf(this.#path), this.#path);
      await syncFolder(folder, files);
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
    const name = volumeName(this.#options, number);
    return { number, name, bytes: this.#written, chunks: this.#chunks };
  }

  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await this.#options.files.unlink(partOf(this.#path)).catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const full = this.#options.chunk.subarray(0, this.#pending);
    try {
      await writeAll(this.#handle, [full], this.#written);
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
    this.#chunks.push(digestOf(full));
    this.#written += full.length;
    this.#pending = 0;
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}
