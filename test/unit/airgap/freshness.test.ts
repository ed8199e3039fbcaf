import t from 'tap';
import { describeAge, freshnessOf } from '../../../src/airgap/freshness.ts';

const published = { revocationAsOf: '2030-01-01T00:00:00Z', created: '2030-01-05T00:00:00Z' };
const ages = { warnMs: 1_000, denyMs: 2_000 };
const at = (ms: number) => new Date(Date.parse(published.revocationAsOf) + ms);

t.test('knowledge is fresh, then old, then stale, each from its very bound on', async (t) => {
  const states = [0, 999, 1_000, 1_999, 2_000].map(
    (ms) => freshnessOf(published, ages, at(ms)).state,
  );
  t.strictSame(states, ['fresh', 'fresh', 'old', 'old', 'stale']);
  t.same(freshnessOf(published, ages, at(500)), { state: 'fresh', asOf: at(0), ageMs: 500 });
});

t.test('a clock behind makes nothing younger than new', async (t) => {
  t.match(freshnessOf(published, ages, at(-5_000)), { state: 'fresh', ageMs: 0 });
});

t.test('without bounds it is fresh for ever, and without data as old as the bundle', async (t) => {
  const none = { warnMs: undefined, denyMs: undefined };
  t.equal(freshnessOf(published, none, at(1e12)).state, 'fresh');
  const { asOf } = freshnessOf({ created: published.created }, ages, at(0));
  t.same(asOf, new Date(published.created));
});

t.test('an age is a few words', async (t) => {
  const hour = 3_600_000;
  t.strictSame([0, hour, 47 * hour, 48 * hour, 1000 * hour].map(describeAge), [
    '0 hours',
    '1 hour',
    '47 hours',
    '2 days',
    '41 days',
  ]);
});
