import type { PartWriter } from './part-writer.ts';
import type { PlannedPiece } from './import-plan.ts';
import type { VolumeChunk } from './volume-reader.ts';

/** What became of the pieces of a volume. */
export interface VolumeOutcome {
  /** Bytes that were written. */
  readonly bytes: number;
  /** Some lay in chunks that could not be had. */
  readonly isComplete: boolean;
}

/**
 * Goes through the pieces of a volume and its chunks side by side, both in the order of their
 * places, and writes the pieces. A chunk that is left out leaves out the pieces in it.
 */
export async function takePieces(
  pieces: AsyncIterable<PlannedPiece>,
  chunks: AsyncIterable<VolumeChunk>,
  writer: Pick<PartWriter, 'write' | 'end'>,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<VolumeOutcome> {
  const chunk = makeChunkCursor(chunks);
  let bytes = 0;
  let isComplete = true;
  try {
    for await (const piece of pieces) {
      let from = 0;
      while (from < piece.length) {
        signal.throwIfAborted();
        const given = await chunk.bytesAt(piece.offset + from, piece.length - from);
        if (given === undefined) break;
        await writer.write(piece, from, given);
        from += given.byteLength;
        onBytes(given.byteLength);
      }
      bytes += from;
      const isWhole = from === piece.length;
      isComplete &&= isWhole;
      await writer.end(piece, isWhole);
    }
  } finally {
    await chunk.close();
  }
  return { bytes, isComplete };
}

function makeChunkCursor(chunks: AsyncIterable<VolumeChunk>) {
  const iterator = chunks[Symbol.asyncIterator]();
  let current: VolumeChunk | undefined;
  let isOver = false;
  return {
    /** Those from `offset` on that its chunk has, at most `length`; undefined: it was left out. */
    async bytesAt(offset: number, length: number): Promise<Uint8Array | undefined> {
      while (!isOver && (current === undefined || endOf(current) <= offset)) {
        const { value, done } = await iterator.next();
        isOver = done === true;
        current = isOver ? undefined : (value as VolumeChunk);
      }
      if (current === undefined || current.offset > offset) return undefined;
      const at = offset - current.offset;
      return current.bytes.subarray(at, at + length);
    },
    async close(): Promise<void> {
      await iterator.return?.();
    },
  };
}

function endOf({ offset, bytes }: VolumeChunk): number {
  return offset + bytes.byteLength;
}
