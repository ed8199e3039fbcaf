import t from 'tap';
import { usedBytes } from '../../../src/storage/quota.ts';
import { makeRoom } from '../../../src/storage/room.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

function makeCounted() {
  const clock = makeFakeClock();
  let measurements = 0;
  let bytes = 100;
  const none = { files: 0, bytes: 0 };
  const store = {
    usage: async () => {
      measurements += 1;
      return { blobs: { files: 1, bytes }, partial: none, quarantined: none, free: undefined };
    },
  };
  const grow = (by: number): void => {
    bytes += by;
  };
  const room = makeRoom(store, clock);
  const used = async () => usedBytes(await room.usageOfLate(), room.reservedBytes);
  return { clock, grow, room, used, measurements: () => measurements };
}

t.test('what is promised is used until it is released, which counts once', async (t) => {
  const { room, used } = makeCounted();
  const one = room.promise(30);
  const other = room.promise(5);
  t.equal(await used(), 135);
  one.release();
  one.release();
  t.equal(room.reservedBytes, 5);
  other.release();
  t.equal(await used(), 100);
});

t.test('a measurement holds for a second', async (t) => {
  const { used, clock, measurements } = makeCounted();
  await used();
  clock.advanceMs(999);
  await used();
  t.equal(measurements(), 1);
  clock.advanceMs(1);
  await used();
  t.equal(measurements(), 2);
});

t.test('what was stored under a promise is seen when the promise ends', async (t) => {
  const { room, used, grow } = makeCounted();
  const promise = room.promise(30);
  await used();
  grow(30);
  promise.release();
  t.equal(await used(), 130);
});

t.test('once an hour the files are counted anew', async (t) => {
  const counts: unknown[] = [];
  const clock = makeFakeClock();
  const none = { files: 0, bytes: 0 };
  const usage = async (count?: 'anew') => {
    counts.push(count);
    return { blobs: none, partial: none, quarantined: none, free: undefined };
  };
  const room = makeRoom({ usage }, clock);
  for (const minutes of [0, 59, 1, 59, 1]) {
    clock.advanceMs(minutes * 60_000);
    await room.measure();
  }
  t.strictSame(counts, [undefined, undefined, 'anew', undefined, 'anew']);
});
