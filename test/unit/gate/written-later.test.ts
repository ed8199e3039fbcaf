import t from 'tap';
import { writtenLater } from '../../../src/gate/written-later.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';

const value = (text: string): Uint8Array => Buffer.from(text);
const full = { message: 'disk full' };

/** A store whose writes fail while it is full. */
function makeDisk(): { disk: KeyValue; memory: KeyValue; setFull: (isFull: boolean) => void } {
  const memory = makeMemoryKeyValue();
  let isFull = false;
  const assertRoom = (): void => {
    if (isFull) throw new Error(full.message);
  };
  const disk: KeyValue = {
    ...memory,
    put: async (key, bytes) => (assertRoom(), memory.put(key, bytes)),
    delete: async (key) => (assertRoom(), memory.delete(key)),
  };
  return {
    disk,
    memory,
    setFull(next) {
      isFull = next;
    },
  };
}

async function textOf(store: KeyValue, key: string): Promise<string | undefined> {
  const bytes = await store.get(key);
  return bytes && String(Buffer.from(bytes));
}

t.test('a write that failed is made up for after the next that succeeds', async (t) => {
  const { disk, memory, setFull } = makeDisk();
  const store = writtenLater(disk);
  await store.put('gone', value('before'));
  setFull(true);
  await t.rejects(store.put('a', value('1')), full);
  await t.rejects(store.put('a', value('2')), full);
  await t.rejects(store.delete('gone'), full);
  t.equal(await textOf(store, 'a'), '2', 'read as if it were written');
  t.equal(await textOf(store, 'gone'), undefined);
  t.equal(await textOf(memory, 'a'), undefined);
  setFull(false);
  await store.put('b', value('3'));
  await new Promise(setImmediate);
  t.same(await Promise.all(['a', 'b', 'gone'].map((key) => textOf(memory, key))), [
    '2',
    '3',
    undefined,
  ]);
  t.same(await store.keys('', 10), ['a', 'b']);
});

t.test('a later write of the same key is not undone', async (t) => {
  const { disk, memory, setFull } = makeDisk();
  const store = writtenLater(disk);
  setFull(true);
  await t.rejects(store.put('a', value('old')), full);
  await t.rejects(store.put('b', value('old')), full);
  setFull(false);
  await store.put('a', value('new'));
  await store.delete('b');
  await new Promise(setImmediate);
  t.equal(await textOf(memory, 'a'), 'new');
  t.equal(await textOf(memory, 'b'), undefined);
});

t.test('what does not succeed the second time waits on', async (t) => {
  const { disk, memory, setFull } = makeDisk();
  let puts = 0;
  const fickle: KeyValue = {
    ...disk,
    async put(key, bytes) {
      puts += 1;
      // The disk is full again after one write.
      if (puts === 3) setFull(true);
      await disk.put(key, bytes);
    },
  };
  const store = writtenLater(fickle);
  setFull(true);
  await t.rejects(store.put('a', value('1')), full);
  setFull(false);
  await store.put('b', value('2'));
  await new Promise(setImmediate);
  t.equal(await textOf(memory, 'a'), undefined);
  t.equal(await textOf(store, 'a'), '1');
  setFull(false);
  await store.put('c', value('3'));
  await new Promise(setImmediate);
  t.equal(await textOf(memory, 'a'), '1');
});

t.test('past its bound the oldest are given up', async (t) => {
  const { disk, memory, setFull } = makeDisk();
  const store = writtenLater(disk, 10);
  setFull(true);
  for (const key of ['a', 'b', 'c']) await t.rejects(store.put(key, value('1234')), full);
  setFull(false);
  await store.put('d', value('x'));
  await new Promise(setImmediate);
  t.same(await memory.keys('', 10), ['b', 'c', 'd']);
  await store.close();
  await t.rejects(memory.get('a'));
});
