import { createHash } from 'node:crypto';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Descriptor } from './descriptor.ts';
import { algorithmOf, encodedOf } from './digest.ts';

/** A fast source has the next piece at hand each time: without turns nobody else would have one. */
const turnBytes = 128 * 1024;

/**
 * Reads a stream to its end, and answers `undefined` as soon as it is seen not to be what the
 * descriptor names (image-spec, descriptor.md, Digests). The size is room that is taken at once:
 * whoever asks has bounded it.
 */
export async function readNamedBytes(
  stream: AsyncIterable<Uint8Array>,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
): Promise<Uint8Array | undefined> {
  const bytes = Buffer.alloc(size);
  // Piece by piece as they come: all of a large one at once would keep other requests waiting.
  const hash = createHash(algorithmOf(digest));
  let length = 0;
  let turnEnd = turnBytes;
  for await (const chunk of stream) {
    if (chunk.byteLength > size - length) return undefined;
    bytes.set(chunk, length);
    hash.update(chunk);
    length += chunk.byteLength;
    if (length < turnEnd) continue;
    turnEnd = length + turnBytes;
    await othersTurn();
  }
  const isIt = length === size && hash.digest('hex') === encodedOf(digest);
  return isIt ? bytes : undefined;
}
