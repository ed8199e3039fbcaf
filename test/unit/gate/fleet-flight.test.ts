import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { makeFleetFlight, noFleet } from '../../../src/gate/fleet-flight.ts';
import { makeLocalNotifications } from '../../../src/storage/local-notifications.ts';
import type { SharedLeases } from '../../../src/storage/shared-leases.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { makeCountingMetrics } from '../../support/silence.ts';
import { never } from '../../support/gate-kit.ts';

/** Leases in memory, and what keeps them from being taken. */
function makeLeases() {
  const held = new Map<string, number>();
  const taken: string[] = [];
  const renewed: string[] = [];
  let problem: Error | undefined;
  let token = 0;
  const leases: SharedLeases = {
    async take(name) {
      taken.push(name);
      if (problem !== undefined) throw problem;
      if (held.has(name)) return undefined;
      token += 1;
      const own = token;
      held.set(name, own);
      return {
        token: own,
        async renew() {
          renewed.push(name);
        },
        async release() {
          if (held.get(name) === own) held.delete(name);
        },
      };
    },
  };
  const fail = (error: Error | undefined): void => {
    problem = error;
  };
  return { leases, held, taken, renewed, fail };
}

const limits = { leaseMs: 10_000, waitMs: 400, lookEveryMs: 100 };

function makeReplicas(given = makeLeases(), more = limits) {
  const notifications = makeLocalNotifications();
  const metrics = makeCountingMetrics();
  const dependencies = { leases: given.leases, notifications, limits: more };
  const make = () => makeFleetFlight(dependencies, metrics);
  return { ...given, notifications, metrics, one: make(), other: make() };
}

const nothing = async (): Promise<undefined> => undefined;

t.test('the second replica waits for what the first one leaves', async (t) => {
  // So that only the notification can end the wait.
  const { one, other, metrics } = makeReplicas(makeLeases(), {
    ...limits,
    lookEveryMs: 60_000,
    waitMs: 60_000,
  });
  let left: string | undefined;
  const look = async (): Promise<string | undefined> => left;
  const { promise: may, resolve: finish } = Promise.withResolvers<void>();
  const first = one.run(
    'x',
    look,
    async () => {
      await may;
      left = 'found out';
      return left;
    },
    never(),
  );
  await new Promise(setImmediate);
  const second = other.run('x', look, () => Promise.reject(new Error('works too')), never());
  await new Promise(setImmediate);
  finish();
  t.equal(await first, 'found out');
  t.equal(await second, 'found out');
  t.equal(metrics.counted('assay_coalesced_total', { operation: 'verify-elsewhere' }), 1);
});

t.test('nobody says a word: it looks all the same', async (t) => {
  const { other, held } = makeReplicas();
  held.set('x', 0);
  let looks = 0;
  const look = async (): Promise<string | undefined> => {
    looks += 1;
    return looks === 2 ? 'left' : undefined;
  };
  t.equal(await other.run('x', look, () => Promise.reject(new Error('works')), never()), 'left');
});

t.test('a lease whose owner died holds up nobody beyond the bound', async (t) => {
  const { other, held, taken } = makeReplicas();
  held.set('x', 0);
  t.equal(await other.run('x', nothing, async () => 'by itself', never()), 'by itself');
  t.ok(taken.length >= 2 && taken.length <= 5, 'it tried to take it over each time');
});

t.test('looking that takes its time counts as waiting', async (t) => {
  const { other, held } = makeReplicas(makeLeases(), { ...limits, waitMs: 300, lookEveryMs: 1 });
  held.set('x', 0);
  let looks = 0;
  const look = (): Promise<undefined> => {
    looks += 1;
    return delay(30, undefined);
  };
  t.equal(await other.run('x', look, async () => 'by itself', never()), 'by itself');
  t.ok(looks <= 10, `${looks} looks`);
});

t.test('a lease that ends while it waits is taken over', async (t) => {
  const { other, held } = makeReplicas();
  held.set('x', 0);
  const look = async (): Promise<undefined> => {
    held.delete('x');
    return undefined;
  };
  t.equal(await other.run('x', look, async () => 'by itself', never()), 'by itself');
  await new Promise(setImmediate);
  t.equal(held.size, 0, 'and given back');
});

t.test('what was left before the lease was taken is used', async (t) => {
  const { one, held } = makeReplicas();
  const look = async (): Promise<string> => 'there already';
  t.equal(
    await one.run('x', look, () => Promise.reject(new Error('works')), never()),
    'there already',
  );
  await new Promise(setImmediate);
  t.equal(held.size, 0);
});

t.test('where nobody can say who has the lease, it works by itself', async (t) => {
  const { one, held, fail } = makeReplicas();
  fail(new StorageError('STORAGE_FAILED', 'away'));
  t.equal(await one.run('x', nothing, async () => 'by itself', never()), 'by itself');
  fail(undefined);
  held.set('x', 0);
  const look = async (): Promise<undefined> => {
    fail(new StorageError('STORAGE_FAILED', 'away'));
    return undefined;
  };
  t.equal(await one.run('x', look, async () => 'in the middle', never()), 'in the middle');
});

t.test('a look that fails is one that found nothing', async (t) => {
  const { one } = makeReplicas();
  const look = () => Promise.reject(new StorageError('STORAGE_FAILED', 'away'));
  t.equal(await one.run('x', look, async () => 'by itself', never()), 'by itself');
});

t.test('work that fails gives the lease back, and its error', async (t) => {
  const { one, held } = makeReplicas();
  await t.rejects(
    one.run('x', nothing, () => Promise.reject(new Error('failed')), never()),
    /failed/,
  );
  await new Promise(setImmediate);
  t.equal(held.size, 0);
});

t.test('who has no time left stops waiting', async (t) => {
  const { other, held } = makeReplicas();
  held.set('x', 0);
  const ending = new AbortController();
  const waiting = other.run('x', nothing, async () => 'too late', ending.signal);
  await delay(10);
  ending.abort(new Error('no time'));
  await t.rejects(waiting, /no time/);
});

t.test('other names wait for nobody, and forged words for nothing', async (t) => {
  const { one, held, notifications } = makeReplicas();
  held.set('x', 0);
  t.equal(await one.run('y', nothing, async () => 'y', never()), 'y');
  const waiting = one.run('x', nothing, async () => 'x', never());
  for (let at = 0; at < 50; at += 1) await notifications.publish('reached', 'x');
  t.equal(await waiting, 'x');
});

t.test('without others there is nothing to wait for', async (t) => {
  t.equal(noFleet.isShared, false);
  t.equal(await noFleet.run('x', nothing, async () => 'work', never()), 'work');
});

t.test('a lease is renewed for as long as its work takes, and not after', async (t) => {
  const { one, renewed } = makeReplicas(makeLeases(), { ...limits, leaseMs: 30 });
  const twice = async (): Promise<string> => {
    while (renewed.length < 2) await new Promise(setImmediate);
    return 'done';
  };
  t.equal(await one.run('long', nothing, twice, never()), 'done');
  const before = renewed.length;
  await delay(50);
  t.equal(renewed.length, before);
});

t.test('what waiting for another replica is counted as can be said', async (t) => {
  const { leases, notifications, metrics, held } = makeReplicas();
  const flight = makeFleetFlight({ leases, notifications, limits }, metrics, 'fill-elsewhere');
  held.set('x', 0);
  await flight.run(
    'x',
    async () => 'left',
    async () => 'own',
    never(),
  );
  t.equal(metrics.counted('assay_coalesced_total', { operation: 'fill-elsewhere' }), 1);
});
