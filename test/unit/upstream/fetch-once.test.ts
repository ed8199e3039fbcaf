import t from 'tap';
import { makeFleetFlight, noFleet } from '../../../src/gate/fleet-flight.ts';
import { makeLocalNotifications } from '../../../src/storage/local-notifications.ts';
import type { SharedLeases } from '../../../src/storage/shared-leases.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { fetchOnce } from '../../../src/upstream/fetch-once.ts';
import { makeCountingMetrics } from '../../support/silence.ts';

const { signal } = new AbortController();
const limits = { leaseMs: 60_000, waitMs: 60_000, lookEveryMs: 60_000 };

function makeFlights(take?: SharedLeases['take']) {
  const held = new Set<string>();
  const leases: SharedLeases = {
    async take(name, forMs) {
      if (take !== undefined) return take(name, forMs);
      if (held.has(name)) return undefined;
      held.add(name);
      return {
        token: 1,
        renew: async () => undefined,
        release: async () => void held.delete(name),
      };
    },
  };
  const dependencies = { leases, notifications: makeLocalNotifications(), limits };
  return makeFleetFlight(dependencies, makeCountingMetrics(), 'fill-elsewhere');
}

/** What is left in common, and how often it was fetched. */
function makeWork() {
  const state = { left: undefined as string | undefined, fetched: 0, looked: 0 };
  const work = {
    name: 'x',
    async look() {
      state.looked += 1;
      return state.left;
    },
    async fetch() {
      state.fetched += 1;
      return `fetched ${state.fetched}`;
    },
    leave: async (fetched: string) => void (state.left = fetched),
  };
  return { state, work };
}

t.test('who fetches has it at once, and the others once it is left', async (t) => {
  const fleet = makeFlights();
  const { state, work } = makeWork();
  const { promise: may, resolve: leaveNow } = Promise.withResolvers<void>();
  const leave = async (fetched: string) => {
    await may;
    state.left = fetched;
  };
  const first = fetchOnce(fleet, { ...work, leave }, signal);
  t.equal(await first.got, 'fetched 1');
  t.equal(first.isOwn(), true);
  const second = fetchOnce(fleet, { ...work, leave }, signal);
  await new Promise(setImmediate);
  t.equal(second.isOwn(), false);
  leaveNow();
  t.equal(await second.got, 'fetched 1');
  t.equal(state.fetched, 1);
});

t.test('what cannot be left is fetched by the next one', async (t) => {
  const fleet = makeFlights();
  const { state, work } = makeWork();
  const leave = async () => undefined;
  t.equal(await fetchOnce(fleet, { ...work, leave }, signal).got, 'fetched 1');
  t.equal(await fetchOnce(fleet, { ...work, leave }, signal).got, 'fetched 2');
  t.equal(state.fetched, 2);
});

t.test('without leases it is looked for and fetched all the same', async (t) => {
  for (const fleet of [
    noFleet,
    makeFlights(() => Promise.reject(new StorageError('STORAGE_FAILED', 'away'))),
  ]) {
    const { state, work } = makeWork();
    t.equal(await fetchOnce(fleet, work, signal).got, 'fetched 1');
    t.equal(await fetchOnce(fleet, work, signal).got, 'fetched 1');
    t.strictSame(state, { left: 'fetched 1', fetched: 1, looked: 2 });
  }
});

t.test('what does not exist is left for nobody, and what fails is told', async (t) => {
  const { work } = makeWork();
  const leave = () => Promise.reject(new Error('was left'));
  const absent = { ...work, leave, fetch: async () => undefined };
  t.equal(await fetchOnce(makeFlights(), absent, signal).got, undefined);
  const failing = { ...work, fetch: () => Promise.reject(new Error('upstream is away')) };
  await t.rejects(fetchOnce(makeFlights(), failing, signal).got, { message: 'upstream is away' });
});
