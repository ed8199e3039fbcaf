import type { FileHandle } from 'node:fs/promises';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import { type FileSystem, systemFiles } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import type { Volume } from './bundle.ts';
import { type ChunkHash, makeChunkHash, makeChunkMemory } from './chunk-hash.ts';
import { readFailure } from './file-failure.ts';
import { openRegular } from './open-regular.ts';
import { describeHeader, isSameHeader, parseVolumeHeader } from './volume-header.ts';
import type { VolumeOwner } from './volume-list.ts';

export interface ReadVolumeOptions extends VolumeOwner {
  readonly file: string;
  readonly volume: Volume;
  /** Of the volume list. */
  readonly chunkBytes: number;
  /** Which chunks are read; all of them unless told. */
  readonly wanted?: (index: number) => boolean;
  /**
   * Takes damage (VOLUME_TRUNCATED, CHUNK_CORRUPT) in place of throwing it, and the next chunks
   * are read. `index` is undefined for damage to the volume as a whole.
   */
  readonly onDamage?: (damage: AirgapError, index: number | undefined) => void;
  readonly files?: FileSystem;
}

export interface VolumeChunk {
  /** From 0. */
  readonly index: number;
  /** Where it begins in the file; the first one has the volume's header. */
  readonly offset: number;
  /** Only until the next chunk is asked for: the memory is used again. */
  readonly bytes: Uint8Array;
}

/**
 * The chunks whose hash matched, in their order; the next two are read meanwhile. Memory: three
 * chunks. Throws `AirgapError`: VOLUME_FOREIGN for another volume, VOLUME_TRUNCATED, CHUNK_CORRUPT,
 * which name volume and chunk; READ_FAILED.
 */
export async function* readVolume(options: ReadVolumeOptions): AsyncGenerator<VolumeChunk> {
  const { file, files = systemFiles } = options;
  const handle = await openRegular(file, files).catch((cause: unknown) => {
    throw readFailure(file, cause);
  });
  try {
    await checkHeader(handle, options);
    await checkLength(handle, options);
    yield* readChunks(handle, options);
  } finally {
    await handle.close();
  }
}

/** A header that is damaged is no reason yet: the first chunk's hash tells. */
async function checkHeader(handle: FileHandle, options: ReadVolumeOptions): Promise<void> {
  const { file, stream, sequence, volume } = options;
  const bytes = await readAt(handle, Buffer.alloc(4096), 0, file);
  const found = parseVolumeHeader(bytes);
  const expected = { stream, sequence, volume: volume.number };
  if (found === undefined || isSameHeader(found, expected)) return;
  throw new AirgapError(
    'VOLUME_FOREIGN',
    `${file} is ${describeHeader(found)}, not ${describeHeader(expected)}`,
  );
}

async function checkLength(handle: FileHandle, options: ReadVolumeOptions): Promise<void> {
  const { file, volume, onDamage } = options;
  const { size } = await handle.stat();
  if (size === volume.bytes) return;
  const told = `${file} has ${size} bytes, volume ${volume.number} has ${volume.bytes}`;
  if (size > volume.bytes) throw new AirgapError('VOLUME_FOREIGN', told);
  const damage = new AirgapError('VOLUME_TRUNCATED', told);
  if (onDamage === undefined) throw damage;
  onDamage(damage, undefined);
}

async function* readChunks(
  handle: FileHandle,
  { file, volume, chunkBytes, wanted = () => true, onDamage }: ReadVolumeOptions,
): AsyncGenerator<VolumeChunk> {
  const chunks = volume.chunks
    .map((digest, index) => ({ digest, index, offset: index * chunkBytes }))
    .filter(({ index }) => wanted(index));
  const memory = [0, 1, 2].map(() => makeChunkMemory(Math.min(chunkBytes, volume.bytes)));
  const hash = makeChunkHash();
  const read = (place: number): Promise<Uint8Array | undefined> | undefined => {
    const chunk = chunks[place];
    const into = memory[place % memory.length];
    if (chunk === undefined || into === undefined) return undefined;
    const length = Math.min(chunkBytes, volume.bytes - chunk.offset);
    const whole = into.subarray(0, length);
    const reading = readAt(handle, whole, chunk.offset, file).then(ifIs(chunk.digest, hash));
    // It fails where it is awaited, if that comes to pass.
    reading.catch(() => undefined);
    return reading;
  };
  const ahead = [read(0), read(1)];
  try {
    for (const [place, { index, offset }] of chunks.entries()) {
      ahead.push(read(place + 2));
      const bytes = await ahead.shift()?.catch(unlessUnreadable);
      if (bytes !== undefined) yield { index, offset, bytes };
      else report(corrupt(file, volume, index), index, onDamage);
    }
  } finally {
    // The file is closed behind us.
    for (const reading of ahead) await reading?.catch(() => undefined);
    await hash.close();
  }
}

/** Hashed while the chunk before is at work. */
function ifIs(digest: Digest, hash: ChunkHash): (bytes: Buffer) => Promise<Uint8Array | undefined> {
  return async (bytes) => ((await hash.digest(bytes)) === digest ? bytes : undefined);
}

/** A sector that the medium can't read is damage, as are wrong bytes. */
function unlessUnreadable(error: unknown): undefined {
  if (error instanceof AirgapError && systemCodeOf(error.cause) === 'EIO') return undefined;
  throw error;
}

function report(damage: AirgapError, index: number, onDamage: ReadVolumeOptions['onDamage']): void {
  if (onDamage === undefined) throw damage;
  onDamage(damage, index);
}

function corrupt(file: string, { number, chunks }: Volume, index: number): AirgapError {
  return new AirgapError(
    'CHUNK_CORRUPT',
    `${file}: chunk ${index + 1} of ${chunks.length} of volume ${number} is damaged: copy it again`,
  );
}

/** All of the buffer, or what there is up to the file's end. */
async function readAt(
  handle: FileHandle,
  into: Buffer,
  position: number,
  file: string,
): Promise<Buffer> {
  let filled = 0;
  try {
    while (filled < into.length) {
      const left = into.length - filled;
      const { bytesRead } = await handle.read(into, filled, left, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (cause) {
    throw readFailure(file, cause);
  }
  return into.subarray(0, filled);
}
