import type { FileHandle } from 'node:fs/promises';
import t from 'tap';
import { writeAll } from '../../../src/storage/write-all.ts';

/** A file that takes at most so many bytes at a time. */
function makeFile(atATime: number): { readonly handle: FileHandle; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(20, '-');
  const handle = {
    async writev(chunks: readonly Uint8Array[], position: number) {
      const part = Buffer.concat(chunks).subarray(0, atATime);
      bytes.set(part, position);
      return { bytesWritten: part.length, buffers: chunks };
    },
  };
  return { handle: handle as unknown as FileHandle, bytes };
}

t.test('what the system does not take at once is written afterwards', async (t) => {
  const chunks = ['ab', 'cdef', '', 'g'].map((text) => Buffer.from(text));
  for (const atATime of [1, 2, 3, 5, 100]) {
    const { handle, bytes } = makeFile(atATime);
    await writeAll(handle, chunks, 3);
    t.equal(String(bytes), '---abcdefg----------', `${atATime} at a time`);
  }
});

t.test('nothing is written for nothing', async (t) => {
  const { handle, bytes } = makeFile(5);
  await writeAll(handle, [], 0);
  t.equal(String(bytes), '-'.repeat(20));
});
