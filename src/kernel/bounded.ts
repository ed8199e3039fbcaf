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
