import t from 'tap';
import { makeRestartPolicy } from '../../../src/compose/restart-policy.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const limits = {
  maxCrashes: 5,
  withinMs: 60_000,
  firstDelayMs: 100,
  maxDelayMs: 400,
  maxStartDelayMs: 1_000,
};

t.test(
  'each crash within the time waits twice as long, up to a bound, until it is too many',
  async (t) => {
    const policy = makeRestartPolicy(limits, makeFakeClock());
    const found = Array.from({ length: 5 }, () => policy.crashed());
    t.same(found, [100, 200, 400, 400, 'give-up']);
  },
);

t.test('crashes of long ago do not count', async (t) => {
  const clock = makeFakeClock();
  const policy = makeRestartPolicy(limits, clock);
  for (let count = 0; count < 4; count += 1) policy.crashed();
  clock.advanceMs(59_999);
  t.equal(policy.crashed(), 'give-up', 'within the minute');
  clock.advanceMs(60_000);
  t.equal(policy.crashed(), 100);
});

t.test('one every now and then is never too many', async (t) => {
  const clock = makeFakeClock();
  const policy = makeRestartPolicy(limits, clock);
  const found = Array.from({ length: 100 }, () => {
    clock.advanceMs(15_000);
    return policy.crashed();
  });
  t.notOk(found.includes('give-up'));
});

t.test('one that can not start is tried for ever, more and more seldom', async (t) => {
  const policy = makeRestartPolicy(limits, makeFakeClock());
  const found = Array.from({ length: 7 }, () => policy.couldNotStart());
  t.same(found, [100, 200, 400, 800, 1_000, 1_000, 1_000]);
  policy.listens();
  t.equal(policy.couldNotStart(), 100);
  t.equal(policy.crashed(), 100, 'and these are no crashes');
});
