import t from 'tap';
import { makeClockFence, type Offset, offsetWithin } from '../../../src/gate/clock-fence.ts';
import { type FakeClock, makeFakeClock } from '../../support/fake-clock.ts';

const boundMs = 60_000;
const redis = (ms: number): Offset => ({ of: 'redis', ms });
const replica = (ms: number): Offset => ({ of: 'replica', ms });

/** Whether nothing may be written after these were compared. */
function isUpAfter(...offsets: readonly Offset[]): boolean {
  const fence = makeClockFence(makeFakeClock(), boundMs);
  fence.judge(offsets);
  return fence.because() !== undefined;
}

t.test('nothing is written before clocks were compared', async (t) => {
  const fence = makeClockFence(makeFakeClock(), boundMs);
  t.match(fence.because(), /was not compared/);
  t.equal(fence.isOff(), false, 'which is not to say that it is wrong');
  fence.judge([]);
  t.equal(fence.because(), undefined, 'where there is none to compare with, it is as good as any');
});

t.test('a clock is wrong that is too far from most others', async (t) => {
  t.equal(isUpAfter(redis(0), replica(0)), false);
  t.equal(isUpAfter(redis(boundMs), replica(-boundMs)), false, 'as far as the bound');
  t.equal(isUpAfter(redis(boundMs + 1)), true, 'ahead of it');
  t.equal(isUpAfter(redis(-boundMs - 1)), true, 'behind it');
  t.equal(isUpAfter(redis(600_000), replica(600_000), replica(1)), true, 'two of three');
});

t.test('another that is wrong by itself fences nobody else', async (t) => {
  t.equal(isUpAfter(redis(0), replica(600_000)), false, 'a replica');
  t.equal(isUpAfter(redis(600_000), replica(0)), false, 'Redis');
  t.equal(
    isUpAfter(redis(600_000), replica(0), replica(600_000), replica(0)),
    false,
    'two of four',
  );
});

t.test('others that are wrong in both directions agree on nothing', async (t) => {
  t.equal(isUpAfter(redis(0), replica(600_000), replica(-600_000)), false);
  t.equal(isUpAfter(replica(600_000), replica(-600_000)), false);
  t.equal(isUpAfter(redis(-600_000), replica(-700_000), replica(600_000)), true, 'two behind');
});

t.test('replicas alone, which anybody may put back from the past, outvote nobody', async (t) => {
  const fence = makeClockFence(makeFakeClock(), boundMs);
  const past = [1, 2, 3, 4].map((hours) => replica(-hours * 3_600_000));
  fence.judge([redis(0), ...past]);
  t.equal(fence.isOff(), true, 'it keeps to itself what it finds out');
  t.equal(fence.isOutvoted(), false, 'and goes on serving');
  fence.judge(past);
  t.equal(fence.isOutvoted(), false, 'also where Redis can not be asked');
  fence.judge([redis(600_000), ...past]);
  t.equal(fence.isOutvoted(), false, 'or says the opposite');
  fence.judge([redis(-3_600_000), ...past]);
  t.equal(fence.isOutvoted(), true);
});

t.test('it says how far it is off, and whether more than one says so', async (t) => {
  const fence = makeClockFence(makeFakeClock(), boundMs);
  fence.judge([redis(600_000)]);
  t.equal(fence.because(), 'its clock is 600 s off');
  t.equal(fence.isOff(), true);
  t.equal(fence.isOutvoted(), false, 'one against one');
  fence.judge([redis(600_000), replica(599_000)]);
  t.equal(fence.isOutvoted(), true);
  fence.judge([redis(0), replica(0)]);
  t.equal(fence.because(), undefined, 'it was put right');
  t.equal(fence.isOff(), false);
  t.equal(fence.isOutvoted(), false);
});

/** A clock whose wall can be set. */
function makeSettableClock(): FakeClock & { set(byMs: number): void } {
  const clock = makeFakeClock();
  let offMs = 0;
  return {
    ...clock,
    now: () => new Date(clock.now().getTime() + offMs),
    set(byMs) {
      offMs += byMs;
    },
  };
}

t.test('a clock that is set is wrong until it was compared again', async (t) => {
  for (const byMs of [boundMs + 1, -boundMs - 1]) {
    const clock = makeSettableClock();
    const fence = makeClockFence(clock, boundMs);
    fence.judge([redis(0)]);
    clock.advanceMs(3_600_000);
    t.equal(fence.because(), undefined, 'time that goes by is no step');
    clock.set(byMs);
    t.match(fence.because(), /was set/);
    fence.judge([redis(0)]);
    t.equal(fence.because(), undefined);
  }
});

t.test('a clock that may have shown it between two moments is not off', async (t) => {
  t.equal(offsetWithin(150, 100, 200), 0);
  t.equal(offsetWithin(100, 100, 200), 0);
  t.equal(offsetWithin(200, 100, 200), 0);
  t.equal(offsetWithin(230, 100, 200), 30, 'ahead of the end');
  t.equal(offsetWithin(60, 100, 200), -40, 'behind the beginning');
});
