import type { GrowingBlob, GrowthReader } from './growing-blob.ts';
import { type PieceStream, readPieces } from './read-pieces.ts';

export interface GrowingStreamOptions {
  readonly start: number;
  /** Less than the content's size only where that is verified. */
  readonly end: number;
  /**
   * Another growth, with the reader attached, for one that has got nothing when the first fails.
   * Asked once at most.
   */
  readonly again: (() => Promise<GrowingBlob | undefined>) | undefined;
  readonly onEnd: (bytes: number) => void;
}

/** As much as one read brings; two of them are all that a stalled reader holds. */
const pieceBytes = 128 * 1024;

/** The bytes of a growing blob from `start` up to `end`, as they come. */
export function readGrowing(
  first: GrowingBlob,
  reader: GrowthReader,
  { start, end, again, onEnd }: GrowingStreamOptions,
): PieceStream {
  let growing = first;
  let left = again;
  let trying: Promise<void> | undefined;

  const goOnWith = async (asked: Promise<GrowingBlob | undefined>): Promise<void> => {
    const next = await asked.catch(() => undefined);
    if (next === undefined) return;
    growing.detach(reader);
    growing = next;
    if (stream.destroyed) growing.detach(reader);
  };
  const stream = readPieces(
    {
      async read(into, position) {
        const bytes = await growing.source.read(into, position);
        growing.moved(reader, position + bytes);
        return bytes;
      },
      ready(position) {
        if (growing.failure === undefined || position > start || left === undefined) {
          return growing.ready(position, end);
        }
        trying = goOnWith(left()).finally(() => (trying = undefined));
        left = undefined;
        return 0;
      },
      whenMore(callback) {
        if (trying === undefined) growing.whenMore(callback);
        else void after(trying, callback);
      },
      onEnd(position) {
        growing.detach(reader);
        onEnd(position - start);
      },
    },
    start,
    pieceBytes,
  );
  reader.cut = (error) => void stream.destroy(error);
  return stream;
}

async function after(work: Promise<void>, callback: () => void): Promise<void> {
  await work;
  callback();
}
