import type { ServerResponse } from 'node:http';
import type { Pieces } from '../storage/read-pieces.ts';
import { type LentBuffer, makePieceBuffers } from './piece-buffers.ts';
import { makeSendTurns } from './send-turns.ts';

/** One for all answers of the process: what one has sent from, the next one sends from. */
const buffers = makePieceBuffers();

/**
 * One piece is read while another one is handed to the system. More at a time would be no faster,
 * and between two looks at the network so much would be copied that clients who come, and what
 * comes from upstream, wait for seconds. First pieces wait for no disk, mostly, and go first.
 */
const turns = makeSendTurns(2);

/** Of many who begin at the same time, each has something before one has much. */
const firstBytes = 16 * 1024;
/** A reader that has taken so much gets larger pieces. */
const largeAfterBytes = 512 * 1024;

/**
 * Sends exactly `size` bytes, each piece once the one before has left for the client: a reader
 * that stalls holds one piece and no more. Rejects where the source fails, ends early or has more
 * bytes, and where the client leaves.
 */
export async function sendPieces(
  pieces: Pieces,
  response: ServerResponse,
  size: number,
): Promise<void> {
  const client = watchClient(response);
  try {
    for (let sent = 0; ;) {
      const ready = await client.unlessGone(pieces.ready());
      if (ready === 0) {
        if (sent === size) break;
        throw new Error(`the stream ended after ${sent} of ${size} bytes`);
      }
      if (sent === size) throw new Error(`the stream has more than ${size} bytes`);
      const wanted = sent === 0 ? Math.min(firstBytes, size) : size - sent;
      const kind = sent < largeAfterBytes ? 'small' : 'large';
      const endTurn = await turns.take(sent === 0 ? 'beginner' : 'other');
      const lent = buffers.lend(Math.min(ready, wanted), kind);
      sent += await sendPiece(pieces, response, client, lent, endTurn);
    }
    await client.unlessGone(ended(response));
  } finally {
    client.stop();
  }
}

async function sendPiece(
  pieces: Pieces,
  response: ServerResponse,
  client: ClientWatch,
  lent: LentBuffer,
  endTurn: () => void,
): Promise<number> {
  let state: 'reusable' | 'maybe in use' = 'maybe in use';
  try {
    const read = await pieces.read(lent.bytes);
    const writing = written(response, lent.bytes.subarray(0, read));
    // The rest is between the system and the client.
    endTurn();
    await client.unlessGone(writing);
    state = 'reusable';
    return read;
  } finally {
    endTurn();
    lent.giveBack(state);
  }
}

interface ClientWatch {
  /** What the work resolves with; rejects as soon as the client has gone. One at a time. */
  unlessGone<T>(work: Promise<T>): Promise<T>;
  stop(): void;
}

/** No `Promise.race` with one promise for all: that would keep every piece's outcome till the end. */
function watchClient(response: ServerResponse): ClientWatch {
  let rejectCurrent: ((error: Error) => void) | undefined;
  const onClose = (): void => {
    // After the last byte it is the answer's end, which may be told before `end` calls back.
    if (!response.writableFinished) rejectCurrent?.(new Error('the client has gone'));
  };
  response.once('close', onClose);
  return {
    unlessGone<T>(work: Promise<T>) {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      rejectCurrent = reject;
      if (response.destroyed) onClose();
      work.then(resolve, reject);
      return promise;
    },
    stop: () => void response.off('close', onClose),
  };
}

/** Resolves when the bytes have left for the system. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  response.write(bytes, (error) => (error ? reject(error) : resolve()));
  return promise;
}

function ended(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.end(resolve);
  return promise;
}
