import type { Test } from 'tap';
import { type KeyValue, maxKeyBytes } from '../../src/storage/key-value.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { maxDigests, maxTrailValueBytes, type Trail } from '../../src/storage/trail.ts';

/** What every `KeyValue` keeps to; `make` gives a new, empty one. */
export function keyValueContract(t: Test, make: (t: Test) => Promise<KeyValue>): void {
  const text = (value: Uint8Array | undefined): string | undefined =>
    value === undefined ? undefined : Buffer.from(value).toString();
  const failed = (what: string) => (error: unknown) =>
    error instanceof StorageError &&
    error.code === 'STORAGE_FAILED' &&
    error.message.includes(what);
  const rejects = async (t: Test, promise: Promise<unknown>, what: string): Promise<void> => {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.ok(failed(what)(error), `${String(error)} says ${what}`);
  };

  t.test('a value that was put is got back byte for byte', async (t) => {
    const store = await make(t);
    const value = Uint8Array.from({ length: 256 }, (_, index) => index);
    await store.put('a', value);
    t.strictSame(Buffer.from((await store.get('a')) ?? []), Buffer.from(value));
  });

  t.test('a key that was never put has no value', async (t) => {
    const store = await make(t);
    t.equal(await store.get('a'), undefined);
  });

  t.test('an empty value is a value', async (t) => {
    const store = await make(t);
    await store.put('a', new Uint8Array());
    t.equal((await store.get('a'))?.byteLength, 0);
  });

  t.test('a large value is kept whole', async (t) => {
    const store = await make(t);
    await store.put('a', new Uint8Array(5 * 1024 * 1024).fill(7));
    const value = await store.get('a');
    t.equal(value?.byteLength, 5 * 1024 * 1024);
    t.ok(value?.every((byte) => byte === 7));
  });

  t.test('the last value put is the one got', async (t) => {
    const store = await make(t);
    await store.put('a', Buffer.from('one'));
    await store.put('a', Buffer.from('two'));
    t.equal(text(await store.get('a')), 'two');
  });

  t.test('changing the bytes after put or get changes nothing stored', async (t) => {
    const store = await make(t);
    const value = Buffer.from('one');
    const written = store.put('a', value);
    value.fill(0);
    await written;
    const got = await store.get('a');
    t.equal(text(got), 'one');
    got?.fill(0);
    t.equal(text(await store.get('a')), 'one');
  });

  t.test('a deleted key has no value, and deleting it again is no error', async (t) => {
    const store = await make(t);
    await store.put('a', Buffer.from('one'));
    await store.delete('a');
    await store.delete('a');
    t.equal(await store.get('a'), undefined);
  });

  t.test('keys are listed by prefix, in the order of their bytes', async (t) => {
    const store = await make(t);
    for (const key of ['p/b', 'q', 'p/a', 'p', 'p/\u{1f600}', 'p/\uffee', 'o']) {
      await store.put(key, Buffer.from('x'));
    }
    t.strictSame(await store.keys('p/', 10), ['p/a', 'p/b', 'p/\uffee', 'p/\u{1f600}']);
    t.equal((await store.keys('', 10)).length, 7);
    t.strictSame(await store.keys('z', 10), []);
  });

  t.test('entries are listed as keys are, with their values', async (t) => {
    const store = await make(t);
    for (const key of ['p/b', 'q', 'p/a']) await store.put(key, Buffer.from(`of ${key}`));
    await store.put('p/0', new Uint8Array());
    const list = async (prefix: string, limit: number) =>
      (await store.entries(prefix, limit)).map(({ key, value }) => [key, text(value)]);
    t.strictSame(await list('p/', 10), [
      ['p/0', ''],
      ['p/a', 'of p/a'],
      ['p/b', 'of p/b'],
    ]);
    t.strictSame(await list('p/', 1), [['p/0', '']]);
    t.strictSame(await list('z', 10), []);
    await store.delete('p/a');
    t.strictSame(await list('p/a', 10), []);
  });

  t.test('what need not be kept for long is there until then', async (t) => {
    const store = await make(t);
    await store.put('a', Buffer.from('one'), { keepMs: 60_000 });
    await store.put('b', Buffer.from('two'), { keepMs: 60_000.5 });
    t.equal(text(await store.get('a')), 'one');
    t.strictSame(await store.keys('', 10), ['a', 'b']);
  });

  t.test('no more keys are listed than asked for', async (t) => {
    const store = await make(t);
    for (const key of ['a', 'b', 'c']) await store.put(key, Buffer.from('x'));
    t.strictSame(await store.keys('', 2), ['a', 'b']);
    t.strictSame(await store.keys('', 0), []);
  });

  t.test('a key of the greatest length is kept, one byte more is refused', async (t) => {
    const store = await make(t);
    const longest = 'k'.repeat(maxKeyBytes);
    await store.put(longest, Buffer.from('x'));
    t.equal(text(await store.get(longest)), 'x');
    await rejects(t, store.put(`${longest}k`, Buffer.from('x')), 'longer than');
    await rejects(t, store.get(`${longest}k`), 'longer than');
    await rejects(t, store.put('é'.repeat(maxKeyBytes / 2 + 1), Buffer.from('x')), 'longer than');
  });

  t.test('an empty key and one that is no Unicode are refused', async (t) => {
    const store = await make(t);
    await rejects(t, store.put('', Buffer.from('x')), 'empty or no Unicode');
    await rejects(t, store.delete('a\ud800'), 'empty or no Unicode');
  });

  t.test('many writes at once are all kept', async (t) => {
    const store = await make(t);
    const keys = Array.from({ length: 500 }, (_, index) => `k${String(index).padStart(3, '0')}`);
    await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))));
    t.strictSame(await store.keys('k', 1000), keys);
    const values = await Promise.all(keys.map((key) => store.get(key)));
    t.strictSame(values.map(text), keys);
  });

  t.test('a closed store refuses every use, and is closed again without an error', async (t) => {
    const store = await make(t);
    await store.put('a', Buffer.from('x'));
    await store.close();
    await store.close();
    await rejects(t, store.get('a'), 'closed');
    await rejects(t, store.put('a', Buffer.from('x')), 'closed');
    await rejects(t, store.delete('a'), 'closed');
    await rejects(t, store.keys('', 1), 'closed');
    await rejects(t, store.entries('', 1), 'closed');
  });

  const names = Array.from(
    { length: 20 },
    (_, at) => `sha256:${at.toString(16).padStart(64, '0')}`,
  );
  const [one = '', two = '', three = ''] = names;
  const trail: Trail = {
    start: 'lone/pin',
    read: ['lone/v/*'],
    followed: ['lone/e/*'],
    listed: ['a/*@s@'],
  };

  t.test('a trail leads from digest to digest, and says what is not there', async (t) => {
    const store = await make(t);
    if (store.follow === undefined) {
      t.pass('its reads take no turns');
      return;
    }
    await store.put('lone/pin', Buffer.from(`a${one}a`));
    await store.put(`lone/v/${one}`, Buffer.from(names[9] ?? ''));
    await store.put(`lone/e/${one}`, Buffer.from(two));
    await store.put(`a/${one}@s@${three}`, Buffer.from('part'));
    await store.put(`a/${one}@other@${names[8]}`, Buffer.from('part'));
    await store.put(`lone/v/${three}`, new Uint8Array());
    const { values, lists } = await store.follow(trail);
    t.strictSame(Object.fromEntries([...values].map(([key, value]) => [key, text(value)])), {
      'lone/pin': `a${one}a`,
      [`lone/v/${one}`]: names[9],
      [`lone/e/${one}`]: two,
      [`lone/v/${two}`]: undefined,
      [`lone/e/${two}`]: undefined,
      [`lone/v/${three}`]: '',
      [`lone/e/${three}`]: undefined,
    });
    const found = [...lists].map(([prefix, entries]) => [
      prefix,
      entries.map(({ key, value }) => `${key} ${text(value)}`),
    ]);
    t.strictSame(Object.fromEntries(found), {
      [`a/${one}@s@`]: [`a/${one}@s@${three} part`],
      [`a/${two}@s@`]: [],
      [`a/${three}@s@`]: [],
    });
  });

  t.test('a trail may begin at a digest, and its length is bounded', async (t) => {
    const store = await make(t);
    if (store.follow === undefined) {
      t.pass('its reads take no turns');
      return;
    }
    await store.put(`lone/e/${one}`, Buffer.from(names.join(' ')));
    await store.put(`lone/v/${one}`, new Uint8Array(maxTrailValueBytes));
    await store.put(`lone/v/${two}`, new Uint8Array(maxTrailValueBytes + 1));
    const { start: _, ...rest } = trail;
    const { values, lists } = await store.follow({ ...rest, digest: one });
    t.equal(lists.size, maxDigests);
    t.equal(values.get(`lone/v/${one}`)?.byteLength, maxTrailValueBytes);
    t.notOk(values.has(`lone/v/${two}`), 'what is too large was not looked at');
    t.equal(values.size, 2 * maxDigests - 1);
  });
}
