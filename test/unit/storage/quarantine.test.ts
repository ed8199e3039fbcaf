import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { type FileSystem, systemFiles } from '../../../src/storage/file-system.ts';
import { trimQuarantine } from '../../../src/storage/quarantine.ts';
import { makeFolders, makeStoreFolder } from '../../../src/storage/store-folder.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';

const dayMs = 86_400_000;

/** Files of 100 bytes that were put there one minute after the other, not by their names. */
async function open(t: Test) {
  const folder = makeStoreFolder(t.testdir());
  await makeFolders(folder, systemFiles);
  const clock = makeFakeClock();
  const since = new Map<string, number>();
  for (const name of ['b', 'c', 'a']) {
    writeFileSync(join(folder.quarantine, name), Buffer.alloc(100));
    since.set(name, clock.now().getTime());
    clock.advanceMs(60_000);
  }
  const files = makeFaultyFiles();
  const { stat } = files;
  // Nobody can set this time of a file.
  const dated = {
    ...files,
    stat: (async (path: string) =>
      Object.assign(await stat(path), {
        ctimeMs: since.get(basename(path)),
      })) as unknown as FileSystem['stat'],
  };
  const trim = (maxBytes: number, maxAgeMs = dayMs) =>
    trimQuarantine({ maxBytes, maxAgeMs }, { folder, files: dated, clock });
  return { clock, files, trim, names: () => readdirSync(folder.quarantine).toSorted() };
}

t.test('what fits stays', async (t) => {
  const { trim, names } = await open(t);
  t.strictSame(await trim(300), { files: 0, bytes: 0 });
  t.strictSame(names(), ['a', 'b', 'c']);
});

t.test('of what does not fit the oldest goes, and no more than must', async (t) => {
  const { trim, names } = await open(t);
  t.strictSame(await trim(299), { files: 1, bytes: 100 });
  t.strictSame(names(), ['a', 'c']);
  t.strictSame(await trim(100), { files: 1, bytes: 100 });
  t.strictSame(names(), ['a']);
  await trim(0);
  t.strictSame(names(), []);
});

t.test('what is too old goes, though it would fit', async (t) => {
  const { trim, names, clock } = await open(t);
  clock.advanceMs(dayMs - 180_000);
  t.strictSame(await trim(1000), { files: 0, bytes: 0 });
  clock.advanceMs(1);
  t.strictSame(await trim(1000), { files: 1, bytes: 100 });
  t.strictSame(names(), ['a', 'c']);
  clock.advanceMs(dayMs);
  t.strictSame(await trim(1000), { files: 2, bytes: 200 });
});

t.test('what can not be deleted is an error', async (t) => {
  const { trim, files } = await open(t);
  files.fail('unlink', /quarantine/, 'EROFS');
  await t.rejects(trim(0), { code: 'EROFS' });
});

t.test('what a person deletes meanwhile is no error', async (t) => {
  const { trim, files } = await open(t);
  files.fail('unlink', /quarantine/, 'ENOENT');
  t.strictSame(await trim(0), { files: 0, bytes: 0 });
});
