import t from 'tap';
import { makeByteWindow } from '../../../src/storage/byte-window.ts';
import { makeContent } from '../../contract/blob-store.ts';

const { bytes } = makeContent(300_000);
const origin = 1000;

function readAll(window: ReturnType<typeof makeByteWindow>, from: number): Buffer {
  const into = Buffer.alloc(400_000);
  return into.subarray(0, window.read(into, from));
}

t.test('what was pushed is read from any offset, whatever its pieces were', async (t) => {
  for (const piece of [1000, 65_536, 70_001, 300_000]) {
    const window = makeByteWindow(origin);
    for (let at = 0; at < bytes.length; at += piece) window.push(bytes.subarray(at, at + piece));
    t.equal(window.end, origin + bytes.length);
    for (const at of [0, 1, 65_535, 65_536, 131_072, 299_999, 300_000]) {
      t.ok(readAll(window, origin + at).equals(bytes.subarray(at)), `${piece} from ${at}`);
    }
  }
});

t.test('a read takes no more than it has room for', async (t) => {
  const window = makeByteWindow(origin);
  window.push(bytes);
  const into = Buffer.alloc(100_000);
  t.equal(window.read(into, origin + 50_000), 100_000);
  t.ok(into.equals(bytes.subarray(50_000, 150_000)));
});

t.test('what was dropped can not be read, and what was not dropped can', async (t) => {
  const window = makeByteWindow(origin);
  window.push(bytes);
  window.dropBefore(origin + 200_000);
  t.ok(window.start > origin && window.start <= origin + 200_000);
  t.throws(() => readAll(window, window.start - 1), RangeError);
  t.ok(readAll(window, window.start).equals(bytes.subarray(window.start - origin)));
  window.push(bytes.subarray(0, 10));
  t.ok(readAll(window, origin + 300_000).equals(bytes.subarray(0, 10)));
});

t.test('dropping everything leaves a window that goes on', async (t) => {
  const window = makeByteWindow(0);
  window.push(bytes.subarray(0, 131_072));
  window.dropBefore(131_072);
  t.equal(window.start, 131_072);
  window.push(bytes.subarray(131_072));
  t.ok(readAll(window, 131_072).equals(bytes.subarray(131_072)));
  t.equal(readAll(window, window.end + 5).length, 0);
});
