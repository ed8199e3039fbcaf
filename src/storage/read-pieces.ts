import { Readable } from 'node:stream';

/** Where a stream of pieces comes from. */
export interface PieceSource {
  /** Reads at most the buffer's length; 0 means that the file ended too early. */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * Bytes from `position` on that may be given now; 0: wait for `whenMore`, or the end. Throws
   * what the stream is to fail with.
   */
  ready(position: number): number | 'end';
  /** Calls back once when `ready` may answer otherwise; not after the stream has ended. */
  whenMore(callback: () => void): void;
  /** `position`: how far it came. */
  onEnd(position: number): void;
}

/**
 * A stream that reads a piece at a time, when its reader wants one: at most two pieces are in
 * memory, whatever the reader does.
 */
export function readPieces(source: PieceSource, start: number, pieceBytes: number): Readable {
  let position = start;
  const step = async (stream: Readable): Promise<void> => {
    if (stream.destroyed) return;
    const ready = source.ready(position);
    if (ready === 'end') {
      stream.push(null);
      return;
    }
    if (ready === 0) {
      source.whenMore(() => run(stream));
      return;
    }
    const piece = Buffer.allocUnsafeSlow(Math.min(ready, pieceBytes));
    const bytes = await source.read(piece, position);
    if (bytes === 0) throw new Error(`a stored file ended at ${position}`);
    if (stream.destroyed) return;
    position += bytes;
    stream.push(bytes === piece.byteLength ? piece : piece.subarray(0, bytes));
  };
  const run = (stream: Readable): void => {
    step(stream).catch((error: unknown) => stream.destroy(toError(error)));
  };
  return new Readable({
    // One piece is read while the one before is being sent.
    highWaterMark: 1,
    read() {
      run(this);
    },
    destroy(error, done) {
      source.onEnd(position);
      done(error);
    },
  });
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
