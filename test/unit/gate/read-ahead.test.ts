import t from 'tap';
import { readAhead } from '../../../src/gate/read-ahead.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import type { Trail } from '../../../src/storage/trail.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const trail: Trail = { digest, read: ['v/*'], followed: ['e/*'], listed: ['p/*@s@'] };
const value = `v/${digest}`;
const list = `p/${digest}@s@`;
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString();

/** A store whose own reads are written down. */
async function makeWatched(follow?: KeyValue['follow']) {
  const memory = makeMemoryKeyValue();
  await memory.put(value, Buffer.from('one'));
  await memory.put(`${list}x`, Buffer.from('part'));
  const asked: string[] = [];
  const store: KeyValue = {
    ...memory,
    async get(key) {
      asked.push(key);
      return memory.get(key);
    },
    async entries(prefix, limit) {
      asked.push(prefix);
      return memory.entries(prefix, limit);
    },
    follow(given) {
      asked.push('follow');
      return follow === undefined ? memory.follow!(given) : follow(given);
    },
  };
  return { memory, asked, store, ahead: readAhead(store) };
}

t.test('what is on the trail is read by following it, and once', async (t) => {
  const { ahead, asked } = await makeWatched();
  await ahead.along(trail, async () => {
    t.equal(text(await ahead.get(value)), 'one');
    t.equal(await ahead.get(`e/${digest}`), undefined);
    t.same(
      (await ahead.entries(list, 5)).map(({ key }) => key),
      [`${list}x`],
    );
    t.strictSame(asked, ['follow']);
    // Whoever asks again wants what is there by now.
    t.equal(text(await ahead.get(value)), 'one');
    await ahead.entries(list, 5);
    await ahead.get('other');
  });
  t.strictSame(asked, ['follow', value, list, 'other']);
});

t.test('what is written meanwhile is read from the store', async (t) => {
  const { ahead, asked } = await makeWatched();
  await ahead.along(trail, async () => {
    await ahead.put(value, Buffer.from('two'));
    await ahead.put(`${list}y`, Buffer.from('part'));
    await ahead.delete(`e/${digest}`);
    t.equal(text(await ahead.get(value)), 'two');
    t.equal((await ahead.entries(list, 5)).length, 2);
    await ahead.get(`e/${digest}`);
  });
  t.strictSame(asked, ['follow', value, list, `e/${digest}`]);
});

t.test('a trail counts for its own work alone, and for no longer', async (t) => {
  const { ahead, asked, memory } = await makeWatched();
  const later = Promise.withResolvers<void>();
  const begun = await ahead.along(trail, async () => {
    const late = later.promise.then(() => ahead.get(value));
    return { late };
  });
  await ahead.get(value);
  await memory.put(value, Buffer.from('two'));
  later.resolve();
  t.equal(text(await begun.late), 'two');
  t.strictSame(asked, ['follow', value, value]);
});

t.test('a search within another one goes on along its trail, where that covers it', async (t) => {
  const { ahead, asked } = await makeWatched();
  const other = `sha256:${'b'.repeat(64)}`;
  await ahead.along(trail, async () => {
    await ahead.along(trail, () => ahead.get(value));
    t.strictSame(asked, ['follow']);
    await ahead.along({ ...trail, digest: other }, () => ahead.get(`v/${other}`));
    t.strictSame(asked, ['follow', 'follow']);
  });
});

t.test('a trail that can not be followed hides nothing, and no error', async (t) => {
  const { ahead, asked } = await makeWatched(() => Promise.reject(new Error('away')));
  await ahead.along(trail, async () => {
    t.equal(text(await ahead.get(value)), 'one');
    t.equal((await ahead.entries(list, 5)).length, 1);
  });
  t.strictSame(asked, ['follow', value, list]);
  const error = new Error('of the work');
  await t.rejects(
    ahead.along(trail, () => Promise.reject(error)),
    error,
  );
});

t.test('a store whose reads take no turns is asked as ever', async (t) => {
  const { store, asked } = await makeWatched();
  const { follow: _, ...plain } = store;
  const ahead = readAhead(plain);
  await ahead.along(trail, () => ahead.get(value));
  t.strictSame(asked, [value]);
});
