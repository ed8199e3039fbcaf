import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openImportJournal } from '../../../src/airgap/import-journal.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';

const one = digestOf(Buffer.from('one'));
const open = (root: string, snapshot = one) =>
  openImportJournal({ root, journal: join(root, 'journal') }, snapshot, systemFiles);

t.test('volumes that were finished are known to the next run', async (t) => {
  const root = t.testdir();
  const first = await open(root);
  t.ok(first.isNew);
  await first.finish(3);
  await first.finish(1);
  const second = await open(root);
  t.notOk(second.isNew);
  t.strictSame([...second.done].toSorted(), [1, 3]);
});

t.test('a line that was torn says nothing, and spoils no later one', async (t) => {
  const root = t.testdir();
  await (await open(root)).finish(3);
  appendFileSync(join(root, 'journal'), 'volume 1');
  const next = await open(root);
  t.strictSame([...next.done], [3]);
  await next.finish(2);
  t.strictSame([...(await open(root)).done].toSorted(), [2, 3]);
});

t.test('the journal of another bundle, and one that is forgotten, begin anew', async (t) => {
  const root = t.testdir();
  const first = await open(root);
  await first.finish(3);
  const other = await open(root, digestOf(Buffer.from('two')));
  t.ok(other.isNew);
  t.strictSame([...other.done], []);
  await other.finish(7);
  await other.forget();
  t.strictSame([...other.done], []);
  t.notMatch(readFileSync(join(root, 'journal'), 'utf8'), /volume/);
});
