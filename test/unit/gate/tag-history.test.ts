import t from 'tap';
import { makeSealedState } from '../../../src/gate/sealed.ts';
import { makeTagHistory, maxTagEntries, type TagHistory } from '../../../src/gate/tag-history.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const tag = 'v1' as Tag;
const scope = 'reg/app';
const digest = (name: string | number): Digest => digestOf(Buffer.from(String(name)));
const at = (day: number) => ({
  earliest: new Date(day * 86_400_000),
  latest: new Date(day * 86_400_000),
});

/** One replica's history over a store that others share. */
function openHistory(store: KeyValue): TagHistory {
  const observed = { metrics: makeCountingMetrics(), log: makeKeptLog() };
  return makeTagHistory(makeSealedState(store, [Buffer.alloc(32, 7)], observed), makeFakeClock());
}

async function digestsOf(history: TagHistory): Promise<readonly Digest[]> {
  const entries = await history.of(scope, tag);
  return entries.toSorted((a, b) => a.order - b.order).map((entry) => entry.digest);
}

async function noteAll(history: TagHistory, ...names: readonly (string | number)[]): Promise<void> {
  for (const name of names) {
    await history.of(scope, tag);
    await history.note(scope, tag, { digest: digest(name) });
  }
}

t.test('digests stand in the order in which they came, and come once', async (t) => {
  const history = openHistory(makeMemoryKeyValue());
  await noteAll(history, 'a', 'b', 'a', 'c');
  t.same(await digestsOf(history), ['a', 'b', 'c'].map(digest));
});

t.test('a tag is not another whose name begins alike', async (t) => {
  const history = openHistory(makeMemoryKeyValue());
  await noteAll(history, 'a');
  t.same(await history.of(scope, 'v' as Tag), []);
  t.same(await history.of(scope, 'v1.2' as Tag), []);
  t.same(await history.of('reg/ap', tag), []);
});

t.test('it outlives a restart, and replicas see what others noted', async (t) => {
  const store = makeMemoryKeyValue();
  await noteAll(openHistory(store), 'a');
  const other = openHistory(store);
  await noteAll(other, 'b');
  t.same(await digestsOf(openHistory(store)), ['a', 'b'].map(digest));
});

t.test('replicas that note at the same time take nothing from each other', async (t) => {
  const store = makeMemoryKeyValue();
  const replicas = [1, 2, 3, 4].map(() => openHistory(store));
  await Promise.all(replicas.map((each) => each.of(scope, tag)));
  await Promise.all(
    replicas.map((each, index) => each.note(scope, tag, { digest: digest(index) })),
  );
  for (const each of replicas) t.equal((await digestsOf(each)).length, 4);
});

t.test('the oldest time that was ever proven stays', async (t) => {
  const store = makeMemoryKeyValue();
  const history = openHistory(store);
  for (const day of [5, undefined, 3, 9]) {
    const signed = day === undefined ? {} : { signed: at(day) };
    await history.of(scope, tag);
    await history.note(scope, tag, { digest: digest('a'), ...signed });
  }
  for (const each of [history, openHistory(store)]) {
    t.match(await each.of(scope, tag), [{ digest: digest('a'), order: 1, signed: at(3) }]);
  }
});

t.test('what the shared state lost is written again by who knows it', async (t) => {
  const store = makeMemoryKeyValue();
  const history = openHistory(store);
  await noteAll(history, 'a', 'b');
  for (const key of await store.keys('', 10)) await store.delete(key);
  t.same(await digestsOf(openHistory(store)), [], 'a replica that is new knows nothing');
  t.same(await digestsOf(history), ['a', 'b'].map(digest));
  t.same(await digestsOf(openHistory(store)), ['a', 'b'].map(digest));
});

t.test('entries that somebody else wrote, or moved, are none', async (t) => {
  const store = makeMemoryKeyValue();
  await noteAll(openHistory(store), 'a');
  const [key = ''] = await store.keys('tag-history/', 10);
  const value = (await store.get(key)) ?? new Uint8Array();
  await store.delete(key);
  await store.put(key.replace(digest('a'), digest('b')), value);
  t.same(await digestsOf(openHistory(store)), []);
});

t.test('state that can not be read: what is known stands, else nobody knows', async (t) => {
  const store = makeMemoryKeyValue();
  let isDown = false;
  const failing: KeyValue = {
    ...store,
    entries: async (...asked) => {
      if (isDown) throw new StorageError('STORAGE_FAILED', 'down');
      return store.entries(...asked);
    },
  };
  const history = openHistory(failing);
  await noteAll(history, 'a');
  isDown = true;
  t.same(await digestsOf(history), [digest('a')]);
  await t.rejects(openHistory(failing).of(scope, tag), { code: 'UNAVAILABLE' });
});

t.test('so many are remembered: those that came last, and the one signed last', async (t) => {
  const store = makeMemoryKeyValue();
  const history = openHistory(store);
  await history.of(scope, tag);
  await history.note(scope, tag, { digest: digest('newest'), signed: at(9) });
  const numbers = Array.from({ length: maxTagEntries + 5 }, (_, index) => index);
  await noteAll(history, ...numbers);
  for (const each of [history, openHistory(store)]) {
    const digests = await digestsOf(each);
    t.equal(digests.length, maxTagEntries);
    t.ok(digests.includes(digest('newest')));
    t.ok(digests.includes(digest(maxTagEntries + 4)));
    t.notOk(digests.includes(digest(0)));
  }
  t.equal((await store.keys('tag-history/', 1000)).length, maxTagEntries, 'in the state too');
});
