import t from 'tap';
import type { Heartbeat } from '../../../src/gate/heartbeat.ts';
import { makeRollCall } from '../../../src/gate/roll-call.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { heartbeatOf } from '../../support/heartbeats.ts';

const lifeMs = 15_000;
const idsOf = (present: readonly { readonly heartbeat: Heartbeat }[]): readonly string[] =>
  present.map(({ heartbeat }) => heartbeat.id);

t.test('who is heard is there, and this replica is none of the others', async (t) => {
  const rollCall = makeRollCall('own', makeFakeClock(), lifeMs);
  t.same(rollCall.take([]), []);
  t.same(idsOf(rollCall.take([heartbeatOf('own'), heartbeatOf('a'), heartbeatOf('b')])), [
    'a',
    'b',
  ]);
});

t.test('who is not listed any more is gone', async (t) => {
  const rollCall = makeRollCall('own', makeFakeClock(), lifeMs);
  rollCall.take([heartbeatOf('a')]);
  t.same(rollCall.take([]), []);
});

t.test('whose beat stands still is gone, though its entry is kept or put back', async (t) => {
  const clock = makeFakeClock();
  const rollCall = makeRollCall('own', clock, lifeMs);
  rollCall.take([heartbeatOf('a', { beat: 5 })]);
  clock.advanceMs(lifeMs);
  t.same(idsOf(rollCall.take([heartbeatOf('a', { beat: 5 })])), ['a'], 'at the end of its life');
  clock.advanceMs(1);
  t.same(rollCall.take([heartbeatOf('a', { beat: 5 })]), []);
  t.same(rollCall.take([heartbeatOf('a', { beat: 4 })]), [], 'an older one is none');
  t.same(idsOf(rollCall.take([heartbeatOf('a', { beat: 6 })])), ['a'], 'it is back');
});

/** How far a clock is off that showed `clockMs` in a beat heard `afterMs` later than the first. */
function offsetOf(clockMs: number, afterMs: number): number | undefined {
  const clock = makeFakeClock();
  const startMs = clock.now().getTime();
  const rollCall = makeRollCall('own', clock, lifeMs);
  rollCall.take([heartbeatOf('a', { beat: 1, clockMs: startMs })]);
  clock.advanceMs(afterMs);
  const [found] = rollCall.take([heartbeatOf('a', { beat: 2, clockMs: startMs + clockMs })]);
  return found?.offsetMs;
}

t.test('a clock may have shown any time since the last look', async (t) => {
  t.equal(offsetOf(3_000, 3_000), 0);
  t.equal(offsetOf(0, 3_000), 0);
  t.equal(offsetOf(63_000, 3_000), 60_000, 'ahead');
  t.equal(offsetOf(-60_000, 3_000), -60_000, 'behind');
  t.equal(offsetOf(0, 60_000), -45_000, 'a beat lives so long, and was not written before that');
});

t.test('of one that is new, a beat may be as old as it lives', async (t) => {
  const clock = makeFakeClock();
  const nowMs = clock.now().getTime();
  const first = (clockMs: number): number | undefined =>
    makeRollCall('own', clock, lifeMs).take([heartbeatOf('a', { clockMs })])[0]?.offsetMs;
  t.equal(first(nowMs), 0);
  t.equal(first(nowMs - lifeMs), 0);
  t.equal(first(nowMs - lifeMs - 1), -1);
  t.equal(first(nowMs + 1), 1);
});
