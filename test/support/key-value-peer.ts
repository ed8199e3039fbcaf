import { openLmdbKeyValue } from '../../src/storage/lmdb-key-value.ts';

// Where a limit on file sizes stands for a full disk, writes are to fail and not to kill.
process.on('SIGXFSZ', () => undefined);

/** A process of its own that has the database of `argv[2]` open, and does what its parent sends. */
const store = await openLmdbKeyValue(process.argv[2] ?? '');

async function answer([verb, key = '', text = '']: readonly string[]): Promise<string> {
  if (verb === 'get') return Buffer.from((await store.get(key)) ?? []).toString();
  if (verb === 'put') {
    await store.put(key, Buffer.from(text));
    return 'put';
  }
  if (verb === 'close') {
    await store.close();
    return 'closed';
  }
  const value = Buffer.alloc(64 * 1024, 1);
  const indices = Array.from({ length: Number(key) }, (_, index) => index);
  if (verb === 'fill each') return fillEach(text, indices, value);
  await Promise.all(indices.map((index) => store.put(`fill/${index}`, value)));
  return 'filled';
}

/** Counts by what the store said of a write, and by whether it is there afterwards. */
async function fillEach(
  prefix: string,
  indices: readonly number[],
  value: Buffer,
): Promise<string> {
  const puts = indices.map((index) => store.put(`${prefix}/${index}`, value));
  const settled = await Promise.allSettled(puts);
  const there = new Set(await store.keys(`${prefix}/`, 1000));
  const says = (is: boolean, status: string): number =>
    indices.filter((i) => settled[i]?.status === status && there.has(`${prefix}/${i}`) === is)
      .length;
  const wrong = says(false, 'fulfilled') + says(true, 'rejected');
  return `done ${says(true, 'fulfilled')}, failed ${says(false, 'rejected')}, told wrong ${wrong}`;
}

process.on('message', (request: readonly string[]) => {
  void answer(request)
    .catch((error: unknown) => `failed: ${String(error)}`)
    .then((text) => process.send?.(text));
});
