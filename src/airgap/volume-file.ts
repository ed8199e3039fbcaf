import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../oci/digest.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { syncFolder } from '../storage/store-folder.ts';
import { writeAll } from '../storage/write-all.ts';
import type { Volume } from './bundle.ts';
import { type ChunkHash, copyIntoMemory } from './chunk-hash.ts';
import { writeFailure } from './file-failure.ts';
import { writeVolumeHeader } from './volume-header.ts';
import { volumeName, type VolumeOwner } from './volume-list.ts';

export interface VolumeFileOptions extends VolumeOwner {
  readonly folder: string;
  readonly number: number;
  /** Each for one chunk; this file has them for itself until it ends. */
  readonly memory: readonly [Buffer, Buffer];
  readonly hash: ChunkHash;
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
  /** What is being filled, and what was filled before it. */
  #chunk: Buffer;
  #other: Buffer;
  /** Bytes in whole chunks, and behind them in memory. */
  #written = 0;
  #pending: number;
  /** The chunk before, on its way into the file. */
  #leaving: Promise<Digest> | undefined;

  constructor(options: VolumeFileOptions, path: string, handle: FileHandle) {
    this.#options = options;
    this.#path = path;
    this.#handle = handle;
    const { stream, sequence, number, memory } = options;
    [this.#chunk, this.#other] = memory;
    this.#pending = writeVolumeHeader({ stream, sequence, volume: number }).copy(this.#chunk);
  }

  get bytes(): number {
    return this.#written + this.#pending;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#pending === this.#chunk.length) await this.#flush();
      const taken = rest.subarray(0, this.#chunk.length - this.#pending);
      copyIntoMemory(taken, this.#chunk, this.#pending);
      this.#pending += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  async finish(): Promise<Volume> {
    const { number, folder, files } = this.#options;
    await this.#flush();
    await this.#settle();
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
    await this.#leaving?.catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
    await this.#options.files.unlink(partOf(this.#path)).catch(() => undefined);
  }

  /** What is in memory is written and hashed while the other memory is being filled. */
  async #flush(): Promise<void> {
    await this.#settle();
    const full = this.#chunk.subarray(0, this.#pending);
    this.#leaving = this.#put(full, this.#written);
    // It fails where it is awaited.
    this.#leaving.catch(() => undefined);
    [this.#chunk, this.#other] = [this.#other, this.#chunk];
    this.#written += full.length;
    this.#pending = 0;
  }

  async #settle(): Promise<void> {
    if (this.#leaving !== undefined) this.#chunks.push(await this.#leaving);
    this.#leaving = undefined;
  }

  async #put(full: Buffer, position: number): Promise<Digest> {
    const [written, hashed] = await Promise.allSettled([
      writeAll(this.#handle, [full], position),
      this.#options.hash.digest(full),
    ]);
    if (written.status === 'rejected') throw writeFailure(this.#path, written.reason);
    if (hashed.status === 'rejected') throw hashed.reason;
    return hashed.value;
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}
