import { Readable } from 'node:stream';
import { toError } from '../kernel/tagged-error.ts';

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

/** A stream whose bytes can also be read straight into memory of the reader's own. */
export interface PieceStream extends Readable {
  readonly pieces?: Pieces;
}

/**
 * Whoever reads so listens to nothing of the stream but its errors, which may come while nothing is
 * being read, and destroys it at the end.
 */
export interface Pieces {
  /** Resolves with how many bytes can be read now; 0: that was all. */
  ready(): Promise<number>;
  /** Reads the next bytes, after `ready` said that there are some; resolves with how many. */
  read(into: Uint8Array): Promise<number>;
}

/**
 * A stream that reads a piece at a time, when its reader wants one: at most two pieces are in
 * memory, whatever the reader does.
 */
export function readPieces(source: PieceSource, start: number, pieceBytes: number): PieceStream {
  let position = start;
  let rejectWaiting: ((error: Error) => void) | undefined;
  const ready = async (): Promise<number> => {
    for (;;) {
      const bytes = source.ready(position);
      if (bytes === 'end') return 0;
      if (bytes > 0) return bytes;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      rejectWaiting = reject;
      source.whenMore(resolve);
      await promise;
    }
  };
  const read = async (into: Uint8Array): Promise<number> => {
    const given = source.ready(position);
    if (given === 0 || given === 'end') throw new TypeError('nothing may be read now');
    // What lies behind it in the file is not to be given yet.
    const room = given < into.byteLength ? into.subarray(0, given) : into;
    const bytes = await source.read(room, position);
    if (bytes === 0) throw new Error(`a stored file ended at ${position}`);
    position += bytes;
    return bytes;
  };
  const next = async (): Promise<Buffer | null> => {
    const bytes = await ready();
    if (bytes === 0) return null;
    const piece = Buffer.allocUnsafeSlow(Math.min(bytes, pieceBytes));
    return piece.subarray(0, await read(piece));
  };
  const fill = async (): Promise<void> => {
    try {
      const piece = await next();
      if (!stream.destroyed) stream.push(piece);
    } catch (error) {
      stream.destroy(toError(error));
    }
  };
  const stream = new Readable({
    // One piece is read while the one before is being sent.
    highWaterMark: 1,
    read: () => void fill(),
    destroy(error, done) {
      rejectWaiting?.(error ?? new Error('nobody reads it any more'));
      source.onEnd(position);
      done(error);
    },
  });
  return Object.assign(stream, { pieces: { ready, read } });
}
