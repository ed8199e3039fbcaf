import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkLmdbFile } from '../../../src/storage/lmdb-header.ts';
import { openLmdbKeyValue } from '../../../src/storage/lmdb-key-value.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

async function database(t: Test): Promise<{ folder: string; path: string; bytes: Buffer }> {
  const folder = t.testdir();
  const store = await openLmdbKeyValue(folder);
  for (let index = 0; index < 50; index++) await store.put(`k${index}`, Buffer.alloc(500, 1));
  await store.close();
  const path = join(folder, 'data.mdb');
  return { folder, path, bytes: await readFile(path) };
}

async function refused(t: Test, promise: Promise<unknown>, how: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.ok(error instanceof StorageError && error.code === 'STORAGE_FAILED', String(error));
  t.match(String(error), how);
  t.match(String(error), 'data.mdb is damaged');
}

t.test('a database as LMDB leaves it passes', async (t) => {
  const { path } = await database(t);
  t.equal(await checkLmdbFile(path), undefined);
});

t.test('an absent and an empty file are a new database', async (t) => {
  const folder = t.testdir({ 'data.mdb': '' });
  t.equal(await checkLmdbFile(join(folder, 'data.mdb')), undefined);
  t.equal(await checkLmdbFile(join(folder, 'none.mdb')), undefined);
  const store = await openLmdbKeyValue(folder);
  await store.put('a', Buffer.from('x'));
  t.ok(await store.get('a'));
  await store.close();
});

t.test('a file cut anywhere is refused and opens nothing', async (t) => {
  const { folder, path, bytes } = await database(t);
  const cuts = [
    [bytes.length - 1, 'shorter than its header says'],
    [bytes.length >> 1, 'shorter than its header says'],
    [4200, 'second page is no header'],
    [100, 'first page is no header'],
  ] as const;
  for (const [length, how] of cuts) {
    await writeFile(path, bytes);
    await truncate(path, length);
    await refused(t, openLmdbKeyValue(folder), how);
  }
});

t.test('other content is refused and opens nothing', async (t) => {
  const { folder, path, bytes } = await database(t);
  await writeFile(path, 'this is a text file, and no database\n'.repeat(1000));
  await refused(t, openLmdbKeyValue(folder), 'first page is no header');
  const otherVersion = Buffer.from(bytes);
  otherVersion.writeUInt32LE(1, 28);
  await writeFile(path, otherVersion);
  await refused(t, openLmdbKeyValue(folder), 'first page is no header');
  const otherPageSize = Buffer.from(bytes);
  otherPageSize.writeUInt32LE(0, 48);
  await writeFile(path, otherPageSize);
  await refused(t, openLmdbKeyValue(folder), 'first page is no header');
});

t.test('a file that can not be read is no new database', async (t) => {
  const folder = t.testdir({ file: 'x' });
  const error = await checkLmdbFile(join(folder, 'file', 'data.mdb')).catch((e: unknown) => e);
  t.ok(error instanceof StorageError);
  t.match(String(error), "can't be read");
});
