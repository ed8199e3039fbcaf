import type { ContentName } from './blob-store.ts';
import { makeContentHash } from './content-hash.ts';
import type { PieceSource } from './read-pieces.ts';
import { StorageError } from './storage-error.ts';

export interface VerifiedReadOptions {
  /** Offset of the first byte that is given, and of the one after the last. */
  readonly start: number;
  readonly end: number;
  /** Resolves with how many bytes were read; 0 at the file's end. */
  readonly readAt: (into: Uint8Array, position: number) => Promise<number>;
  /** Called once when the file turns out not to be the content. */
  readonly onMismatch: () => void;
}

/** What is given only once the hash matches, as with content that comes in. */
const withheldBytes = 64 * 1024;
const pieceBytes = 128 * 1024;

/**
 * Gives stored bytes from which the whole content is hashed on the way: what lies before the part
 * that is asked for first, what lies behind it before the last bytes of the part are given. So the
 * very bytes that are given were hashed, and whatever part is asked for, nobody gets all of it
 * from a file that has other bytes than the digest names.
 */
export function readVerified(
  content: ContentName,
  { start, end, readAt, onMismatch }: VerifiedReadOptions,
): PieceSource {
  const hash = makeContentHash(content);
  const heldFrom = Math.max(start, end - withheldBytes);
  let held: Buffer | undefined;
  let failure: { readonly error: unknown } | undefined;
  const reading = { isEnded: false };

  const readPiece = async (into: Uint8Array): Promise<number> => {
    const bytes = await readAt(into, hash.bytes);
    hash.update(into.subarray(0, bytes));
    return bytes;
  };
  const hashUpTo = async (position: number): Promise<void> => {
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(0, position - hash.bytes)));
    while (hash.bytes < position && !reading.isEnded) {
      const bytes = await readPiece(buffer.subarray(0, position - hash.bytes));
      if (bytes === 0) throw mismatch(content, onMismatch);
    }
  };
  const holdRest = async (): Promise<Buffer> => {
    const rest = Buffer.allocUnsafeSlow(end - heldFrom);
    while (hash.bytes < end) {
      const bytes = await readPiece(rest.subarray(hash.bytes - heldFrom));
      if (bytes === 0) throw mismatch(content, onMismatch);
    }
    await hashUpTo(content.size);
    if (!reading.isEnded && !hash.matches()) throw mismatch(content, onMismatch);
    return rest;
  };
  const goOn = async (callback: () => void): Promise<void> => {
    try {
      if (hash.bytes < start) await hashUpTo(start);
      else held = await holdRest();
    } catch (error) {
      failure = { error };
    }
    if (!reading.isEnded) callback();
  };
  return {
    ready(position) {
      if (failure !== undefined) throw failure.error;
      if (held !== undefined) return position < end ? end - position : 'end';
      return hash.bytes < start ? 0 : heldFrom - position;
    },
    whenMore: (callback) => void goOn(callback),
    async read(into, position) {
      if (held !== undefined) return held.copy(into, 0, position - heldFrom);
      if (position !== hash.bytes) throw new TypeError('bytes are verified in their order');
      return readPiece(into);
    },
    onEnd() {
      reading.isEnded = true;
    },
  };
}

function mismatch({ digest }: ContentName, onMismatch: () => void): StorageError {
  onMismatch();
  return new StorageError('CONTENT_MISMATCH', `the stored file for ${digest} has other bytes`);
}
