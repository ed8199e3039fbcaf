import t from 'tap';
import { handOver } from '../../../src/compose/thread-bytes.ts';

const filled = (length: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(length).map((_, index) => index % 251);

t.test('memory that threads share is handed over as it is, and stays', async (t) => {
  for (const mayTake of [true, false]) {
    const shared = new Uint8Array(new SharedArrayBuffer(100));
    const { handed, transferList } = await handOver(shared, mayTake);
    t.equal(handed, shared);
    t.same(transferList, []);
  }
});

t.test('what may be taken is taken without a copy', async (t) => {
  const bytes = filled(2_000_000);
  const { handed, transferList } = await handOver(bytes, true);
  t.equal(handed, bytes);
  t.equal(transferList[0], bytes.buffer);
  structuredClone(handed, { transfer: transferList });
  t.equal(bytes.byteLength, 0, 'nothing of it is left here');
});

t.test('of what may not be taken, and of a part of something else, there is a copy', async (t) => {
  const whole = filled(2_000_000);
  const cases: readonly (readonly [Uint8Array, boolean])[] = [
    [whole, false],
    [whole.subarray(10), true],
    [whole.subarray(0, 1_999_990), true],
  ];
  for (const [bytes, mayTake] of cases) {
    const { handed, transferList } = await handOver(bytes, mayTake);
    t.equal(Buffer.compare(handed, bytes), 0, 'all of it, over several turns');
    t.not(handed.buffer, whole.buffer);
    t.equal(transferList[0], handed.buffer);
  }
});

t.test('a large copy lets others have their turns', async (t) => {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await handOver(filled(4 * 1024 * 1024), false);
  isOver = true;
  t.ok(turns >= 7, 'one between any two pieces');
});
