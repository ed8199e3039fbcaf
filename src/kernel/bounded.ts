import { TaggedError } from './tagged-error.ts';

export class TooLargeError extends TaggedError<'TOO_LARGE'> {}

/** Reads a stream to its end, and throws `TooLargeError` with the first byte past `maxBytes`. */
export async function readBounded(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      throw new TooLargeError('TOO_LARGE', `${what} is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Lets go of the entry that was put in first, where there is one more than `maxEntries`. */
export function forgetOldest<K>(entries: Map<K, unknown>, maxEntries: number): void {
  const [oldest] = entries.keys();
  if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
}
