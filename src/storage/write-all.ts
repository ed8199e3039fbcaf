import type { FileHandle } from 'node:fs/promises';

/** Writes all of the chunks one after the other; the system may take less at a time. */
export async function writeAll(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let left = chunks;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = after(left, bytesWritten);
  }
}

function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = 0;
  for (const [index, chunk] of chunks.entries()) {
    const rest = bytes - skipped;
    if (rest < chunk.byteLength) return [chunk.subarray(rest), ...chunks.slice(index + 1)];
    skipped += chunk.byteLength;
  }
  return [];
}
