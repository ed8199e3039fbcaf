import t from 'tap';
import { makePace } from '../../../src/storage/pace.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const never = new AbortController().signal;

function makeKit(rate: number | undefined) {
  const clock = makeFakeClock();
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    clock.advanceMs(ms);
  };
  return { clock, waits, pace: makePace(rate, clock, wait) };
}

t.test('bytes take the time that their rate gives them', async (t) => {
  const { clock, pace } = makeKit(1000);
  for (const bytes of [100, 500, 400]) await pace(bytes, never);
  t.equal(clock.monotonicMs(), 1000);
});

t.test('time that reading took itself is not waited for again', async (t) => {
  const { clock, waits, pace } = makeKit(1000);
  clock.advanceMs(300);
  await pace(500, never);
  t.strictSame(waits, [200]);
});

t.test('after a long pause there is no rush', async (t) => {
  const { clock, waits, pace } = makeKit(1000);
  clock.advanceMs(3_600_000);
  await pace(1500, never);
  t.strictSame(waits, [500]);
});

t.test('without a rate nothing waits', async (t) => {
  const { waits, pace } = makeKit(undefined);
  await pace(1e12, never);
  t.strictSame(waits, []);
});

t.test('it ends with its signal', async (t) => {
  const { pace } = makeKit(undefined);
  await t.rejects(pace(1, AbortSignal.abort()), { name: 'AbortError' });
});
