import type { ContentName } from '../storage/blob-store.ts';
import { makeContentHash } from '../storage/content-hash.ts';
import { type FileSystem, systemFiles } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import type { Extent, VolumeList } from './bundle.ts';
import { type ChunkHash, makeChunkHash, makeChunkMemory } from './chunk-hash.ts';
import { openVolumeFile, type VolumeFile } from './volume-file.ts';
import { volumeHeaderBytes } from './volume-header.ts';
import { minVolumeBytes, volumeChunkBytes, type VolumeOwner } from './volume-list.ts';
import { checkResumed } from './volume-resume.ts';

export interface VolumeWriterOptions extends VolumeOwner {
  /** The bundle's `volumes/`, which exists. */
  readonly folder: string;
  /** Of each volume but the last, its header included. */
  readonly volumeBytes: number;
  /** Volumes that an earlier run finished, as `onVolume` told. */
  readonly resume?: VolumeList | undefined;
  /** Told whenever a volume would survive a power cut, with all of them so far. */
  readonly onVolume?: (finished: VolumeList) => Promise<void>;
  /** Smaller in tests alone. */
  readonly chunkBytes?: number;
  readonly files?: FileSystem;
}

/**
 * Writes content into volumes, one piece behind the other. One that resumes is given the same
 * content in the same order: what the finished volumes have already is not written again.
 */
export interface VolumeWriter {
  /**
   * Where the content is now. Hashes it, and throws `AirgapError`, CONTENT_MISMATCH, where it is
   * not what it is said to be; NO_SPACE; WRITE_FAILED. After any error nothing more is taken.
   */
  add(
    content: ContentName,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<readonly Extent[]>;
  /** The same for content that the finished volumes have whole; undefined: it must be added. */
  skip(content: ContentName): readonly Extent[] | undefined;
  /** Ends the last volume. */
  finish(): Promise<VolumeList>;
  /** Leaves what is not finished behind, for nobody; after `finish` it does nothing. */
  abandon(): Promise<void>;
}

/** Memory: two chunks. Throws `AirgapError` where the volumes to resume with are not there. */
export async function openVolumeWriter(options: VolumeWriterOptions): Promise<VolumeWriter> {
  const { volumeBytes, chunkBytes = volumeChunkBytes, resume, files = systemFiles } = options;
  if (volumeBytes < minVolumeBytes) {
    throw new AirgapError('WRITE_FAILED', `a volume has at least ${minVolumeBytes} bytes`);
  }
  const finished = [...(resume?.volumes ?? [])];
  if (resume !== undefined) await checkResumed(resume, { ...options, chunkBytes, files });
  return new SequentialVolumes({ ...options, chunkBytes, files }, finished);
}

type Settled = VolumeWriterOptions & Required<Pick<VolumeWriterOptions, 'chunkBytes' | 'files'>>;

class SequentialVolumes implements VolumeWriter {
  readonly #options: Settled;
  readonly #finished: VolumeList['volumes'][number][];
  /** Content that one volume takes. */
  readonly #room: number;
  readonly #memory: readonly [Buffer, Buffer];
  readonly #hash: ChunkHash = makeChunkHash();
  /** Bytes of content that are in finished volumes from before. */
  readonly #resumedAt: number;
  /** Bytes of content so far. */
  #position = 0;
  #file: VolumeFile | undefined;
  #state: 'open' | 'broken' | 'finished' = 'open';

  constructor(options: Settled, finished: VolumeList['volumes'][number][]) {
    const { volumeBytes, chunkBytes } = options;
    this.#options = options;
    this.#finished = finished;
    this.#room = volumeBytes - volumeHeaderBytes;
    this.#resumedAt = finished.length * this.#room;
    const bytes = Math.min(chunkBytes, volumeBytes);
    this.#memory = [makeChunkMemory(bytes), makeChunkMemory(bytes)];
  }

  async add(
    content: ContentName,
    bytes: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<readonly Extent[]> {
    this.#assertOpen();
    this.#state = 'broken';
    const begin = this.#position;
    const hash = makeContentHash(content);
    for await (const piece of bytes) {
      signal.throwIfAborted();
      hash.update(piece);
      if (hash.bytes > content.size) break;
      await this.#take(piece);
    }
    if (!hash.matches()) {
      const message = `${content.digest} has other bytes than its digest and size say`;
      throw new AirgapError('CONTENT_MISMATCH', message);
    }
    this.#state = 'open';
    return this.#extents(begin, content.size);
  }

  skip({ size }: ContentName): readonly Extent[] | undefined {
    this.#assertOpen();
    const begin = this.#position;
    if (begin + size > this.#resumedAt) return undefined;
    this.#position += size;
    return this.#extents(begin, size);
  }

  async finish(): Promise<VolumeList> {
    this.#assertOpen();
    this.#state = 'broken';
    if (this.#position < this.#resumedAt) {
      throw new AirgapError('WRITE_FAILED', 'what was to be resumed has less content than before');
    }
    if (this.#file !== undefined) await this.#endVolume(this.#file);
    this.#state = 'finished';
    await this.#hash.close();
    return this.#list();
  }

  async abandon(): Promise<void> {
    if (this.#state !== 'finished') this.#state = 'broken';
    await this.#file?.abandon();
    this.#file = undefined;
    await this.#hash.close();
  }

  async #take(piece: Uint8Array): Promise<void> {
    let rest = piece.subarray(
      Math.max(0, Math.min(piece.length, this.#resumedAt - this.#position)),
    );
    this.#position += piece.length - rest.length;
    while (rest.length > 0) {
      this.#file ??= await this.#beginVolume();
      const taken = Math.min(rest.length, this.#options.volumeBytes - this.#file.bytes);
      await this.#file.write(rest.subarray(0, taken));
      this.#position += taken;
      rest = rest.subarray(taken);
      if (this.#file.bytes === this.#options.volumeBytes) await this.#endVolume(this.#file);
    }
  }

  #beginVolume(): Promise<VolumeFile> {
    const { folder, stream, sequence, files } = this.#options;
    const number = this.#finished.length + 1;
    const [memory, hash] = [this.#memory, this.#hash];
    return openVolumeFile({ folder, stream, sequence, number, memory, hash, files });
  }

  async #endVolume(file: VolumeFile): Promise<void> {
    this.#finished.push(await file.finish());
    this.#file = undefined;
    await this.#options.onVolume?.(this.#list());
  }

  #list(): VolumeList {
    return { chunkBytes: this.#options.chunkBytes, volumes: [...this.#finished] };
  }

  /** Where that part of all content is. */
  #extents(begin: number, size: number): readonly Extent[] {
    const room = this.#room;
    if (size === 0) {
      // Behind the byte before it: there may be no volume after a full one.
      const volume = Math.max(1, Math.ceil(begin / room));
      return [{ volume, offset: volumeHeaderBytes + begin - (volume - 1) * room, length: 0 }];
    }
    const extents: Extent[] = [];
    for (let at = begin; at < begin + size;) {
      const within = at % room;
      const length = Math.min(begin + size - at, room - within);
      const volume = Math.floor(at / room) + 1;
      extents.push({ volume, offset: volumeHeaderBytes + within, length });
      at += length;
    }
    return extents;
  }

  #assertOpen(): void {
    if (this.#state === 'open') return;
    throw new TypeError(`these volumes are ${this.#state}: nothing more can be added`);
  }
}
