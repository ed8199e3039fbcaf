import t from 'tap';
import { makeSealedState, type SealedState } from '../../../src/gate/sealed.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const keyOne = Buffer.alloc(32, 1);
const keyTwo = Buffer.alloc(32, 2);
const metrics = makeCountingMetrics();
const log = makeKeptLog();
const over = (store: KeyValue, ...keys: [Buffer, ...Buffer[]]): SealedState =>
  makeSealedState(store, keys, { metrics, log });

t.test('a value comes back as it was put, dates and nesting and all', async (t) => {
  const state = over(makeMemoryKeyValue(), keyOne);
  const value = {
    kind: 'trusted',
    at: new Date('2030-01-01T00:00:00Z'),
    list: [{ a: null, n: 1 }],
  };
  await state.put('verdict/x', value);
  t.same(await state.get('verdict/x'), value);
  t.equal(await state.get('verdict/y'), undefined);
});

t.test('whichever byte is altered, cut or added, the entry is absent and is counted', async (t) => {
  const store = makeMemoryKeyValue();
  const state = over(store, keyOne);
  await state.put('verdict/x', { kind: 'trusted' });
  const sealed = (await store.get('verdict/x')) as Uint8Array;
  const altered = Array.from(sealed, (byte, at) => {
    const copy = Uint8Array.from(sealed);
    copy[at] = byte ^ 1;
    return copy;
  });
  const cut = [sealed.subarray(0, -1), sealed.subarray(0, 41), sealed.subarray(0, 0)];
  const before = metrics.counted('assay_sealed_entries_rejected_total');
  for (const bytes of [...altered, ...cut, Buffer.concat([sealed, Buffer.of(0)])]) {
    await store.put('verdict/x', bytes);
    t.equal(await state.get('verdict/x'), undefined);
  }
  const rejected = metrics.counted('assay_sealed_entries_rejected_total') - before;
  t.equal(rejected, sealed.length + 4);
});

t.test('an entry that was copied under another name does not open', async (t) => {
  const store = makeMemoryKeyValue();
  const state = over(store, keyOne);
  await state.put('verdict/reg/a@d', { kind: 'trusted' });
  await store.put('verdict/reg/b@d', (await store.get('verdict/reg/a@d')) as Uint8Array);
  t.equal(await state.get('verdict/reg/b@d'), undefined);
});

t.test('the name can not lend bytes to the value', async (t) => {
  const store = makeMemoryKeyValue();
  const state = over(store, keyOne);
  await state.put('ab', 'c');
  await store.put('a', (await store.get('ab')) as Uint8Array);
  t.equal(await state.get('a'), undefined);
});

t.test(
  'keys rotate: the new one seals, the old one still opens, a lost one does not',
  async (t) => {
    const store = makeMemoryKeyValue();
    await over(store, keyOne).put('x', 1);
    const rotating = over(store, keyTwo, keyOne);
    t.equal(await rotating.get('x'), 1);
    await rotating.put('y', 2);
    const rotated = over(store, keyTwo);
    t.equal(await rotated.get('x'), undefined);
    t.equal(await rotated.get('y'), 2);
  },
);

t.test('what can not be read is not absent; what can not be written is logged', async (t) => {
  const broken: KeyValue = {
    ...makeMemoryKeyValue(),
    get: () => Promise.reject(new Error('disk')),
    put: () => Promise.reject(new Error('disk')),
    delete: () => Promise.reject(new Error('disk')),
    keys: () => Promise.reject(new Error('disk')),
  };
  const state = over(broken, keyOne);
  const before = log.lines.length;
  const unread = { code: 'UNAVAILABLE', message: 'the state could not be read' };
  await t.rejects(state.get('x'), unread);
  await t.rejects(state.names('x', 1), unread);
  await state.put('x', 1);
  await state.delete('y');
  t.equal(log.lines.length, before + 4);
  t.equal(await state.get('x'), 1, 'what waits to be written is known');
  t.equal(await state.get('y'), undefined);
});
