import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import type { Descriptor } from '../oci/descriptor.ts';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import { StorageError } from './storage-error.ts';

export interface MatchingOptions {
  /** At least so many of the last bytes come only once the hash matches; 64 KiB unless told. */
  readonly withheldBytes?: number;
}

const defaultWithheldBytes = 64 * 1024;
/** Past so many pieces they are joined, so that one-byte chunks cost no object each. */
const maxPieces = 256;

/**
 * Passes bytes through and fails with `CONTENT_MISMATCH` unless they are exactly what the
 * descriptor names: the byte after `size` is refused, and the last `withheldBytes` are kept back
 * until the digest matches, so that no reader completes wrong content. Keeps references to
 * chunks, at most `withheldBytes` and one chunk more.
 */
export function matching(
  expected: Pick<Descriptor, 'digest' | 'size'>,
  options: MatchingOptions = {},
): Transform {
  const { withheldBytes = defaultWithheldBytes } = options;
  const hash = createHash(algorithmOf(expected.digest));
  let held: Buffer[] = [];
  let heldBytes = 0;
  let seenBytes = 0;
  return new Transform({
    // What is held back is buffer enough.
    highWaterMark: 16 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      seenBytes += chunk.length;
      if (seenBytes > expected.size) {
        done(mismatch(expected, `goes on after its ${expected.size} bytes`));
        return;
      }
      hash.update(chunk);
      held.push(chunk);
      heldBytes += chunk.length;
      for (let first = held[0]; first !== undefined; first = held[0]) {
        if (heldBytes - first.length < withheldBytes) break;
        held.shift();
        heldBytes -= first.length;
        this.push(first);
      }
      if (held.length > maxPieces) held = [Buffer.concat(held, heldBytes)];
      done();
    },
    flush(done) {
      if (seenBytes < expected.size) {
        done(mismatch(expected, `ended after ${seenBytes} of ${expected.size} bytes`));
        return;
      }
      if (hash.digest('hex') !== encodedOf(expected.digest)) {
        done(mismatch(expected, 'has other bytes'));
        return;
      }
      for (const chunk of held) this.push(chunk);
      held = [];
      done();
    },
    destroy(error, done) {
      held = [];
      done(error);
    },
  });
}

function mismatch({ digest }: Pick<Descriptor, 'digest'>, what: string): StorageError {
  return new StorageError('CONTENT_MISMATCH', `the content for ${digest} ${what}`);
}
