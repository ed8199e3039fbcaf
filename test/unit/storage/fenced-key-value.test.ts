import t from 'tap';
import { fencedKeyValue } from '../../../src/storage/fenced-key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';

t.test('a store takes no writes while there is a fence, and is read all the same', async (t) => {
  const kept = makeMemoryKeyValue();
  let because: string | undefined;
  const store = fencedKeyValue(kept, () => because);
  await store.put('a', Buffer.from('1'));
  because = 'the clock is wrong';
  const refused = { code: 'STORAGE_FAILED', message: /shared state: the clock is wrong$/ };
  await t.rejects(store.put('a', Buffer.from('2')), refused);
  await t.rejects(store.delete('a'), refused);
  t.same(await store.get('a'), Buffer.from('1'));
  t.same(await store.keys('', 10), ['a']);
  t.same(await store.entries('', 10), [{ key: 'a', value: Buffer.from('1') }]);
  because = undefined;
  await store.delete('a');
  t.equal(await kept.get('a'), undefined);
});
