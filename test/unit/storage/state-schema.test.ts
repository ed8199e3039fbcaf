import t from 'tap';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import {
  assertNotNewer,
  discardOlder,
  ofSchema,
  stampSchema,
} from '../../../src/storage/state-schema.ts';

const isShared = (key: string): boolean => key.startsWith('deny/');
const never = new AbortController().signal;
const bytes = (text: string): Buffer => Buffer.from(text);

/** One store as versions with two schemas see it. */
function makeBoth() {
  const store = makeMemoryKeyValue();
  return { store, one: ofSchema(store, 1, isShared), two: ofSchema(store, 2, isShared) };
}

t.test('versions with different schemas do not find each other’s entries', async (t) => {
  const { one, two } = makeBoth();
  await one.put('verdict/a', bytes('one'));
  await two.put('verdict/a', bytes('two'));
  await two.put('verdict/b', bytes('two'));
  t.same(await one.get('verdict/a'), bytes('one'));
  t.same(await two.get('verdict/a'), bytes('two'));
  t.same(await one.keys('verdict/', 10), ['verdict/a']);
  t.same(await two.keys('verdict/', 10), ['verdict/a', 'verdict/b']);
  t.same(await two.entries('verdict/', 1), [{ key: 'verdict/a', value: bytes('two') }]);
  await one.delete('verdict/a');
  t.same(await two.get('verdict/a'), bytes('two'));
});

t.test('what is of all versions they share', async (t) => {
  const { one, two } = makeBoth();
  await two.put('deny/a', bytes('denied'));
  t.same(await one.get('deny/a'), bytes('denied'));
  t.same(await one.entries('deny/', 10), await two.entries('deny/', 10));
  await one.delete('deny/a');
  t.equal(await two.get('deny/a'), undefined);
});

t.test('an older version refuses what a newer one has used', async (t) => {
  const { store } = makeBoth();
  await t.resolves(assertNotNewer(store, 1, 'data/state'), 'a new one is anybody’s');
  await stampSchema(store, 2, 'data/state');
  const refused = {
    code: 'STORAGE_FAILED',
    message:
      /^data\/state was used by a newer version of Assay \(schema 2, and this version knows 1\)/,
  };
  await t.rejects(assertNotNewer(store, 1, 'data/state'), refused);
  await t.rejects(stampSchema(store, 1, 'data/state'), refused);
  await t.resolves(stampSchema(store, 2, 'data/state'));
  await t.resolves(stampSchema(store, 3, 'data/state'), 'a newer one takes it');
  await t.rejects(stampSchema(store, 2, 'data/state'), { code: refused.code });
});

t.test('a stamp that is no number is damage', async (t) => {
  for (const stamp of ['', '0', '-1', '1.5', 'two', '1'.repeat(17)]) {
    const store = makeMemoryKeyValue();
    await store.put('schema', bytes(stamp));
    await t.rejects(stampSchema(store, 1, 'data/state'), { message: /damaged stamp/ }, stamp);
  }
});

t.test('a newer version deletes what older ones left, and what all share it keeps', async (t) => {
  const store = makeMemoryKeyValue();
  const [one, two, three] = [1, 2, 3].map((schema) => ofSchema(store, schema, isShared));
  for (let index = 0; index < 1_200; index += 1) await one!.put(`verdict/${index}`, bytes('one'));
  await two!.put('verdict/a', bytes('two'));
  await three!.put('verdict/a', bytes('three'));
  await three!.put('deny/a', bytes('denied'));
  await stampSchema(store, 3, 'data/state');
  t.equal(await discardOlder(store, 3, ['verdict/'], never), 1_201);
  t.same(await store.keys('', 10), ['3:verdict/a', 'deny/a', 'schema']);
  t.equal(await discardOlder(store, 1, ['verdict/'], never), 0, 'there is none before the first');
});

t.test('it stops when it is told to, and goes on the next time', async (t) => {
  const store = makeMemoryKeyValue();
  for (let index = 0; index < 1_200; index += 1) await store.put(`verdict/${index}`, bytes('one'));
  const ending = new AbortController();
  const keys = store.keys.bind(store);
  store.keys = (prefix, limit) => {
    ending.abort();
    return keys(prefix, limit);
  };
  await t.rejects(discardOlder(store, 2, ['verdict/'], ending.signal), { name: 'AbortError' });
  t.equal((await keys('', 10_000)).length, 700, 'a page is done');
  t.equal(await discardOlder(store, 2, ['verdict/'], never), 700);
});
