import t from 'tap';
import { makeByteWindow } from '../../../src/storage/byte-window.ts';
import { makeGrowingBytes } from '../../../src/storage/growing-bytes.ts';
import { makeContent } from '../../contract/blob-store.ts';

const { bytes } = makeContent(50_000);
const headBytes = 16 * 1024;

async function readAt(
  source: ReturnType<typeof makeGrowingBytes>,
  position: number,
  length: number,
): Promise<Buffer> {
  const into = Buffer.alloc(length);
  return into.subarray(0, await source.read(into, position));
}

t.test('the first bytes are read from memory, the others from the file', async (t) => {
  const source = makeGrowingBytes();
  const reads: number[] = [];
  source.setFile(async (into, position) => {
    reads.push(position);
    return bytes.copy(into, 0, position);
  });
  const chunk = Buffer.from(bytes);
  source.setHead(chunk);
  chunk.fill(0);
  t.ok((await readAt(source, 0, 1000)).equals(bytes.subarray(0, 1000)), 'a copy of them');
  const rest = await readAt(source, 10_000, 50_000);
  t.ok(rest.equals(bytes.subarray(10_000, headBytes)), 'up to their end');
  t.strictSame(reads, []);
  t.ok((await readAt(source, headBytes, 100)).equals(bytes.subarray(headBytes, headBytes + 100)));
  t.strictSame(reads, [headBytes]);
});

t.test('they can be read where nothing is on disk, too', async (t) => {
  const source = makeGrowingBytes();
  const window = makeByteWindow(0);
  source.setHead(bytes.subarray(0, 100));
  source.setWindow(window);
  window.push(bytes.subarray(0, 40_000));
  t.ok((await readAt(source, 50, 1000)).equals(bytes.subarray(50, 100)));
  t.ok((await readAt(source, 100, 1000)).equals(bytes.subarray(100, 1100)));
});
