import t from 'tap';
import { makeForwardClock } from '../../../src/airgap/forward-clock.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

t.test('it tells the clock’s time until it is raised, and goes on from there', async (t) => {
  const given = makeFakeClock('2030-01-01T00:00:00Z');
  const clock = makeForwardClock(given);
  t.same(clock.now(), new Date('2030-01-01T00:00:00Z'));
  clock.raise(new Date('2030-02-01T00:00:00Z'));
  t.same(clock.now(), new Date('2030-02-01T00:00:00Z'));
  given.advanceMs(1_000);
  t.same(clock.now(), new Date('2030-02-01T00:00:01Z'));
  clock.raise(new Date('2030-01-15T00:00:00Z'));
  t.same(clock.now(), new Date('2030-02-01T00:00:01Z'), 'it is never lowered');
  given.advanceMs(60 * 86_400_000);
  t.same(clock.now(), new Date('2030-04-02T00:00:01Z'), 'it does not stay behind either');
  t.equal(clock.monotonicMs(), given.monotonicMs());
});
