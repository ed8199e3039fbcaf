import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../../src/upstream/circuit.ts';
import {
  type KnownRate,
  makeRateBudget,
  type RateBudget,
  type SharedRates,
} from '../../../src/upstream/rate-budget.ts';
import { type FakeClock, makeFakeClock } from '../../support/fake-clock.ts';
import { holds } from '../../support/holds.ts';
import { makeCountingMetrics } from '../../support/silence.ts';

interface Shared extends SharedRates {
  readonly known: Map<string, KnownRate>;
  reads: number;
  writes: number;
}

function makeShared(): Shared {
  const known = new Map<string, KnownRate>();
  const shared: Shared = {
    known,
    reads: 0,
    writes: 0,
    async read(upstream) {
      shared.reads += 1;
      return known.get(upstream);
    },
    async write(upstream, rate) {
      shared.writes += 1;
      known.set(upstream, rate);
    },
  };
  return shared;
}

function make(shared?: SharedRates, clock: FakeClock = makeFakeClock()) {
  const metrics = makeCountingMetrics();
  const budget = makeRateBudget({ upstream: 'hub', reserve: 10 }, { clock, metrics, shared });
  return { budget, clock, metrics };
}

const renewal = { operation: 'manifest', isRenewal: true } as const;
const fresh = { operation: 'manifest', isRenewal: false } as const;
const says = (remaining: number, more: Readonly<Record<string, string>> = {}) => ({
  status: 200,
  headers: { 'ratelimit-remaining': `${remaining};w=21600`, ...more },
});
const tooMany = (retryAfter?: string) => ({
  status: 429,
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
});
const unasked = (seconds: number) => ({
  code: 'UPSTREAM_RATE_LIMITED',
  because: 'rate-limit',
  retryAfterSeconds: seconds,
});

t.test('the last ten are for what is new', async (t) => {
  const { budget, metrics } = make();
  budget.note('manifest', says(11));
  await t.resolves(budget.admit(renewal));
  budget.note('manifest', says(10));
  await t.rejects(budget.admit(renewal), unasked(60));
  await t.resolves(budget.admit(fresh));
  const because = { upstream: 'hub', operation: 'manifest', because: 'rate-limit' };
  t.equal(metrics.counted('assay_upstream_unasked_total', because), 1);
});

t.test('after a minute one renewal finds out whether there are more', async (t) => {
  const { budget, clock } = make();
  budget.note('manifest', says(3));
  clock.advanceMs(60_000);
  await t.resolves(budget.admit(renewal));
  await t.rejects(budget.admit(renewal), unasked(60), 'and the others wait for what it finds');
  budget.note('manifest', says(90));
  await t.resolves(budget.admit(renewal));
});

t.test('an upstream that says when it allows more is asked again then', async (t) => {
  const { budget, clock } = make();
  budget.note('manifest', says(3, { 'ratelimit-reset': '20' }));
  await t.rejects(budget.admit(renewal), unasked(20));
  clock.advanceMs(20_000);
  await t.resolves(budget.admit(renewal));
});

t.test('429 with Retry-After ends all questions of its kind for so long', async (t) => {
  const { budget, clock } = make();
  budget.note('manifest', tooMany('30'));
  await t.rejects(budget.admit(fresh), unasked(30));
  await t.resolves(budget.admit({ operation: 'blob', isRenewal: false }));
  clock.advanceMs(29_999);
  await t.rejects(budget.admit(fresh), unasked(1));
  clock.advanceMs(1);
  await t.resolves(budget.admit(fresh));
});

t.test('429 that says nothing else leaves what is new alone to be asked for', async (t) => {
  const { budget } = make();
  budget.note('manifest', tooMany());
  await t.resolves(budget.admit(fresh));
  await t.rejects(budget.admit(renewal), unasked(60));
});

t.test('without a reserve tags are asked for to the end', async (t) => {
  const clock = makeFakeClock();
  const budget = makeRateBudget({ upstream: 'hub', reserve: 0 }, { clock });
  budget.note('manifest', says(0));
  await t.resolves(budget.admit(renewal));
});

t.test('what one replica was told holds for the others', async (t) => {
  const shared = makeShared();
  const clock = makeFakeClock();
  const [one, other] = [make(shared, clock), make(shared, clock)];
  one.budget.note('blob', says(4));
  await t.rejects(other.budget.admit(renewal), unasked(60));
  t.equal(other.metrics.counted('assay_upstream_rate_limit_remaining', { upstream: 'hub' }), 4);
  one.budget.note('manifest', tooMany('30'));
  clock.advanceMs(1_000);
  await t.rejects(other.budget.admit(fresh), unasked(29));
});

t.test('what was said last counts, whoever was told', async (t) => {
  const shared = makeShared();
  const clock = makeFakeClock();
  const [one, other] = [make(shared, clock), make(shared, clock)];
  one.budget.note('manifest', says(4));
  clock.advanceMs(1_000);
  other.budget.note('manifest', says(80));
  await t.resolves(other.budget.admit(renewal));
  clock.advanceMs(1_000);
  await t.resolves(one.budget.admit(renewal));
});

t.test('it is read and written once a second at most, but for what is urgent', async (t) => {
  const shared = makeShared();
  const { budget, clock } = make(shared);
  for (let time = 0; time < 50; time += 1) {
    await budget.admit(fresh);
    budget.note('manifest', says(100 - time));
  }
  t.equal(shared.reads, 1);
  t.equal(shared.writes, 1);
  budget.note('manifest', tooMany('5'));
  t.equal(shared.writes, 2);
  clock.advanceMs(1_000);
  await budget.admit({ operation: 'blob', isRenewal: false });
  t.equal(shared.reads, 2);
});

t.test('where nobody can be told, each goes by what it was told', async (t) => {
  const broken: SharedRates = {
    read: () => Promise.reject(new Error('away')),
    write: () => Promise.reject(new Error('away')),
  };
  const { budget } = make(broken);
  await t.resolves(budget.admit(renewal));
  budget.note('manifest', says(3));
  await t.rejects(budget.admit(renewal), unasked(60));
});

const operations: readonly Operation[] = ['manifest', 'blob', 'tags', 'referrers'];
const dates = fc.date({ noInvalidDate: true });

t.test('whatever stands in the shared state', async (t) => {
  await holds(
    t,
    'nobody is kept from asking for longer than a minute, nor told so',
    fc.asyncProperty(
      fc.record({
        at: dates,
        remaining: fc.option(fc.nat(1000), { nil: undefined }),
        until: dates,
        pauses: fc.record({ manifest: dates, blob: dates }),
      }),
      async (known) => {
        const shared = makeShared();
        shared.known.set('hub', known);
        const { budget, clock } = make(shared);
        const refusals = async (asked: RateBudget): Promise<readonly unknown[]> => {
          const each = operations.flatMap((operation) =>
            [true, false].map((isRenewal) => asked.admit({ operation, isRenewal })),
          );
          const outcomes = await Promise.allSettled(each);
          return outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
        };
        for (const refusal of await refusals(budget)) {
          const { retryAfterSeconds = 0 } = refusal as { retryAfterSeconds?: number };
          if (retryAfterSeconds > 60) throw new Error('too long');
        }
        shared.known.clear();
        clock.advanceMs(60_000);
        await budget.admit(fresh);
      },
    ),
  );
});
