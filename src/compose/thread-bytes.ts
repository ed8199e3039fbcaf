import { setImmediate as othersTurn } from 'node:timers/promises';

/** What is sent to a thread, and what of it the thread has alone from then on. */
interface HandedOver {
  readonly handed: Uint8Array;
  readonly transferList: ArrayBuffer[];
}

const pieceBytes = 512 * 1024;

/**
 * Without a second copy where that can be: of memory that threads share, and of what the thread may
 * take, which is empty here once it is sent.
 */
export async function handOver(bytes: Uint8Array, mayTake: boolean): Promise<HandedOver> {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer)) return { handed: bytes, transferList: [] };
  if (mayTake && buffer.byteLength === bytes.byteLength) {
    return { handed: bytes, transferList: [buffer] };
  }
  // A view would take all that it is a view of with it.
  const copy = await copyInTurns(bytes);
  return { handed: copy, transferList: [copy.buffer] };
}

/** Others have their turns between the pieces. */
async function copyInTurns(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at > 0) await othersTurn();
    copy.set(bytes.subarray(at, at + pieceBytes), at);
  }
  return copy;
}
