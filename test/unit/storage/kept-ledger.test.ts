import t from 'tap';
import { makeKeptLedger } from '../../../src/storage/kept-ledger.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';

const roomy = { maxBytes: 10_000, maxEntries: 100 };
const value = (size: number): Buffer => Buffer.alloc(size, 1);

t.test('a value is got back, and after a start too', async (t) => {
  const values = makeMemoryKeyValue();
  await makeKeptLedger(values, roomy).put('kept/a', Buffer.from('one'));
  const again = makeKeptLedger(values, roomy);
  t.equal(Buffer.from((await again.get('kept/a')) ?? []).toString(), 'one');
  t.equal(await again.get('kept/b'), undefined);
});

t.test('bytes are bounded: what was not used for longest is deleted', async (t) => {
  const values = makeMemoryKeyValue();
  const ledger = makeKeptLedger(values, { maxBytes: 300, maxEntries: 100 });
  for (const name of ['kept/a', 'kept/b', 'kept/c']) await ledger.put(name, value(100));
  await ledger.get('kept/a');
  await ledger.put('kept/d', value(100));
  t.strictSame(await values.keys('kept/', 10), ['kept/a/100', 'kept/c/100', 'kept/d/100']);
});

t.test('entries are bounded', async (t) => {
  const values = makeMemoryKeyValue();
  const ledger = makeKeptLedger(values, { maxBytes: 10_000, maxEntries: 2 });
  for (const name of ['kept/a', 'kept/b', 'kept/c']) await ledger.put(name, value(1));
  t.strictSame(await values.keys('kept/', 10), ['kept/b/1', 'kept/c/1']);
});

t.test('what lay there before the start counts', async (t) => {
  const values = makeMemoryKeyValue();
  const before = makeKeptLedger(values, roomy);
  for (const name of ['kept/a', 'kept/b', 'kept/c']) await before.put(name, value(100));
  await makeKeptLedger(values, { maxBytes: 200, maxEntries: 100 }).put('kept/d', value(100));
  t.equal((await values.keys('kept/', 10)).length, 2);
});

t.test('a value larger than everything is not kept', async (t) => {
  const values = makeMemoryKeyValue();
  const ledger = makeKeptLedger(values, { maxBytes: 300, maxEntries: 100 });
  await ledger.put('kept/a', value(100));
  await ledger.put('kept/huge', value(301));
  t.strictSame(await values.keys('kept/', 10), ['kept/a/100']);
});

t.test('a deleted value is gone, and its bytes are free', async (t) => {
  const values = makeMemoryKeyValue();
  const ledger = makeKeptLedger(values, { maxBytes: 200, maxEntries: 100 });
  await ledger.put('kept/a', value(100));
  await ledger.delete('kept/a');
  t.equal(await ledger.get('kept/a'), undefined);
  await ledger.put('kept/b', value(200));
  t.equal((await ledger.get('kept/b'))?.byteLength, 200);
});

t.test('a listing that failed is tried again', async (t) => {
  const values = makeMemoryKeyValue();
  let isDown = true;
  const flaky = {
    ...values,
    keys: (prefix: string, limit: number) =>
      isDown ? Promise.reject(new Error('down')) : values.keys(prefix, limit),
  };
  const ledger = makeKeptLedger(flaky, roomy);
  await t.rejects(ledger.get('kept/a'), { message: 'down' });
  isDown = false;
  t.equal(await ledger.get('kept/a'), undefined);
});

t.test('what another process deleted is absent, and may be put again', async (t) => {
  const values = makeMemoryKeyValue();
  const ledger = makeKeptLedger(values, { maxBytes: 10, maxEntries: 10 });
  await ledger.put('kept/a', Buffer.alloc(6));
  await values.delete('kept/a/6');
  t.equal(await ledger.get('kept/a'), undefined);
  await ledger.put('kept/b', Buffer.alloc(6));
  t.equal((await ledger.get('kept/b'))?.byteLength, 6, 'its room is free');
  await ledger.put('kept/a', Buffer.alloc(4));
  t.equal((await ledger.get('kept/a'))?.byteLength, 4);
});
