import t from 'tap';
import { makeBreaker } from '../../../src/upstream/circuit-breaker.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const limits = {
  windowMs: 1_000,
  minRequests: 2,
  failureShare: 0.5,
  firstOpenMs: 100,
  maxOpenMs: 150,
};
const bad = { because: 'UPSTREAM_FAILED' } as const;

function make() {
  const clock = makeFakeClock();
  return { clock, breaker: makeBreaker({ upstream: 'a', operation: 'b' }, limits, { clock }) };
}

t.test('it opens, lets one probe pass, and opens for longer, within its bound', (t) => {
  const { clock, breaker } = make();
  for (const settle of [breaker.pass(), breaker.pass()]) settle(bad);
  t.throws(() => breaker.pass(), { because: 'circuit', code: 'UPSTREAM_FAILED' });
  for (const openMs of [100, 150, 150]) {
    clock.advanceMs(openMs - 1);
    t.throws(() => breaker.pass());
    clock.advanceMs(1);
    const settle = breaker.pass();
    t.throws(() => breaker.pass(), 'nobody beside the probe');
    settle(bad);
  }
  clock.advanceMs(150);
  breaker.pass()('well');
  breaker.pass()(bad);
  t.doesNotThrow(() => breaker.pass(), 'what failed before is forgotten');
  t.end();
});

t.test('findings that come later count while it is closed, and not beside a probe', (t) => {
  const { clock, breaker } = make();
  breaker.note(bad);
  breaker.note(bad);
  t.throws(() => breaker.pass());
  clock.advanceMs(100);
  const settle = breaker.pass();
  breaker.note(bad);
  breaker.note('well');
  t.throws(() => breaker.pass());
  settle('well');
  t.doesNotThrow(() => breaker.pass());
  t.end();
});
