/**
 * The lines of a text of single bytes, each ended by a line feed, the last one as well. Throws
 * what `tooLong` makes where a line has more than `maxLineBytes`, or the last one has no end.
 */
export async function* lines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
  tooLong: () => Error,
): AsyncGenerator<string> {
  for await (const batch of lineBatches(chunks, maxLineBytes, tooLong)) yield* batch;
}

/** The same, all that a chunk has ended at once: a million waits for one line each take seconds. */
export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
  tooLong: () => Error,
): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      .toString('latin1')
      .split('\n');
    parts[0] = rest + parts[0];
    rest = parts.pop() ?? '';
    if (rest.length > maxLineBytes || parts.some(({ length }) => length > maxLineBytes)) {
      throw tooLong();
    }
    yield parts;
  }
  if (rest !== '') throw tooLong();
}
