import t from 'tap';
import { type LmdbDatabase, makeLmdbWrites } from '../../../src/storage/lmdb-writes.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

/** A database whose transactions end when the test says so. */
function makeFakeDatabase() {
  const begun: PromiseWithResolvers<boolean>[] = [];
  const keys: string[] = [];
  const database = {
    batch(work: () => void) {
      work();
      const transaction = Promise.withResolvers<boolean>();
      begun.push(transaction);
      return transaction.promise;
    },
    put: (key: Buffer) => Promise.resolve(keys.push(key.toString()) > 0),
    remove: () => Promise.resolve(true),
  };
  return { begun, keys, database: database as unknown as LmdbDatabase };
}

const value = Buffer.from('value');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('what is written in one turn is one transaction, and the next waits for it', async (t) => {
  const { begun, keys, database } = makeFakeDatabase();
  const write = makeLmdbWrites(database);
  const first = [write(Buffer.from('a'), value), write(Buffer.from('b'), value)];
  await turn();
  const second = write(Buffer.from('c'), value);
  await turn();
  t.strictSame(keys, ['a', 'b']);
  begun[0]?.resolve(true);
  await Promise.all(first);
  await turn();
  t.strictSame(keys, ['a', 'b', 'c']);
  begun[1]?.resolve(true);
  await second;
});

t.test('no transaction begins beside one that hangs', async (t) => {
  const { begun, keys, database } = makeFakeDatabase();
  const write = makeLmdbWrites(database, { commitDeadlineMs: 20 });
  const hanging = write(Buffer.from('a'), value);
  await turn();
  const behind = write(Buffer.from('b'), value);
  const late = { code: 'STORAGE_FAILED', message: 'a write did not end within 0.02 s' };
  await t.rejects(hanging, late);
  await t.rejects(behind, late, 'nor is what hangs waited for again');
  t.throws(
    () => write(Buffer.from('c'), value),
    new StorageError('STORAGE_FAILED', 'an earlier write to the state database has not ended yet'),
  );
  await turn();
  t.strictSame([keys, begun.length], [['a'], 1]);

  begun[0]?.reject(new Error('the disk is full'));
  await turn();
  const later = write(Buffer.from('d'), value);
  await turn();
  t.strictSame(keys, ['a', 'd'], 'it goes on once that has ended, however it did');
  begun[1]?.resolve(true);
  await later;
});
