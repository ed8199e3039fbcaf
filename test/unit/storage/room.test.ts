import t from 'tap';
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
      return { blobs: { files: 1, bytes }, partial: none, free: undefined };
    },
  };
  const grow = (by: number): void => {
    bytes += by;
  };
  return { clock, grow, room: makeRoom(store, clock), measurements: () => measurements };
}

t.test('what is promised is used until it is released, which counts once', async (t) => {
  const { room } = makeCounted();
  const one = room.promise(30);
  const other = room.promise(5);
  t.equal(await room.usedOfLate(), 135);
  one.release();
  one.release();
  t.equal(room.reservedBytes, 5);
  other.release();
  t.equal(await room.usedOfLate(), 100);
});

t.test('a measurement holds for a second', async (t) => {
  const { room, clock, measurements } = makeCounted();
  await room.usedOfLate();
  clock.advanceMs(999);
  await room.usedOfLate();
  t.equal(measurements(), 1);
  clock.advanceMs(1);
  await room.usedOfLate();
  t.equal(measurements(), 2);
});

t.test('what was stored under a promise is seen when the promise ends', async (t) => {
  const { room, grow } = makeCounted();
  const promise = room.promise(30);
  await room.usedOfLate();
  grow(30);
  promise.release();
  t.equal(await room.usedOfLate(), 130);
});
