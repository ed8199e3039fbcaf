import t from 'tap';
import type { MadeGate } from '../../../src/gate/gate.ts';
import { type Staleness, withStaleness } from '../../../src/gate/stale-knowledge.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const repository = { upstream: 'docker.io', path: 'library/app' } as never;
const { signal } = new AbortController();
const admission = { by: 'verdict', warnings: ['its own'], cache: 'state', through: [] };
const content = { admission } as never;
const gate = {
  manifestAtHand: () => content,
  blobAtHand: () => content,
  admitManifest: async () => content,
  admitBlob: async () => content,
  admitReferrers: async () => 'referrers' as never,
  listTags: async () => 'tags' as never,
  verdictById: async () => undefined,
  whileSent: () => () => undefined,
} as unknown as MadeGate;

const on = (staleness: Staleness | undefined) =>
  withStaleness(gate, () => staleness, makeFakeClock());

t.test('of what is fresh nothing is said', async (t) => {
  const fresh = on(undefined);
  t.equal(fresh.manifestAtHand(repository, {} as never), content);
  t.equal(fresh.blobAtHand(repository, '' as never), content);
  t.strictSame(await fresh.admitManifest(repository, {} as never, signal), content);
});

t.test('old knowledge is warned of in every answer, beside other warnings', async (t) => {
  const old = on({ serving: 'warned', because: '9 days old' });
  t.equal(old.manifestAtHand(repository, {} as never), undefined, 'not past the warning');
  t.equal(old.blobAtHand(repository, '' as never), undefined);
  const expected = { admission: { warnings: ['its own', '9 days old'] } };
  t.match(await old.admitManifest(repository, {} as never, signal), expected);
  t.match(await old.admitBlob(repository, '' as never, signal), expected);
  t.equal(await old.listTags(repository, { limit: 1 }, signal), 'tags');
});

t.test('what rests on too old knowledge is refused in every answer, with its reason', async (t) => {
  const stale = on({ serving: 'refused', because: '40 days old' });
  const denial = { code: 'DENIED', reason: 'revocation-stale', message: '40 days old' };
  t.equal(stale.manifestAtHand(repository, {} as never), undefined);
  t.equal(stale.blobAtHand(repository, '' as never), undefined);
  await t.rejects(stale.admitManifest(repository, {} as never, signal), denial);
  await t.rejects(stale.admitBlob(repository, '' as never, signal), denial);
  await t.rejects(stale.admitReferrers(repository, '' as never, signal), denial);
  await t.rejects(stale.listTags(repository, { limit: 1 }, signal), denial);
  const error = await stale
    .listTags(repository, { limit: 1 }, signal)
    .catch((each: unknown) => each);
  const { id } = (error as { verdict: { id: string } }).verdict;
  t.match(await stale.verdictById(id), {
    reason: 'revocation-stale',
    scope: 'docker.io/library/app',
  });
});
