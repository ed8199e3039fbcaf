import { createHash } from 'node:crypto';
import type { Descriptor } from './descriptor.ts';
import { algorithmOf, encodedOf } from './digest.ts';

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
  for await (const chunk of stream) {
    if (chunk.byteLength > size - length) return undefined;
    bytes.set(chunk, length);
    hash.update(chunk);
    length += chunk.byteLength;
  }
  const isIt = length === size && hash.digest('hex') === encodedOf(digest);
  return isIt ? bytes : undefined;
}
