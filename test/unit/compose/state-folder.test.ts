import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeStorageFolder, openSealKeys } from '../../../src/compose/state-folder.ts';
import { makeSecret } from '../../../src/config/redact.ts';
import type { Config } from '../../../src/config/schema.ts';

function configWith(path: string, keys?: readonly string[]): Config {
  const state = keys === undefined ? {} : { state: { keys: keys.map(makeSecret) } };
  return { storage: { path }, ...state } as unknown as Config;
}

t.test('the folder is made for its owner alone', async (t) => {
  const folder = join(t.testdir(), 'a', 'data');
  await makeStorageFolder(folder);
  t.equal((await stat(folder)).mode & 0o777, 0o700);
  await t.resolves(makeStorageFolder(folder));
});

t.test('a folder that can not be made is named', async (t) => {
  const folder = join(t.testdir({ file: '' }), 'file', 'data');
  await t.rejects(makeStorageFolder(folder), {
    code: 'STATE_UNUSABLE',
    message: new RegExp(`storage.path: .*data can not be made`),
  });
});

t.test('configured keys are used as they are, and none is made', async (t) => {
  const folder = t.testdir();
  const keys = await openSealKeys(configWith(folder, ['first', 'second']));
  t.same(
    keys.map((key) => Buffer.from(key).toString()),
    ['first', 'second'],
  );
  t.same(await readdir(folder), []);
});

t.test('without a configured key one is made, once, for its owner alone', async (t) => {
  const folder = t.testdir();
  const [made] = await openSealKeys(configWith(folder));
  const [again] = await openSealKeys(configWith(folder));
  t.equal(made.byteLength, 32);
  t.same(again, made);
  t.same(await readdir(folder), ['state.key']);
  t.equal((await stat(join(folder, 'state.key'))).mode & 0o777, 0o600);
});

t.test('many that start at the same time agree on one key', async (t) => {
  const folder = t.testdir();
  const opened = await Promise.all(
    Array.from({ length: 20 }, () => openSealKeys(configWith(folder))),
  );
  const texts = new Set(opened.map(([key]) => Buffer.from(key).toString('hex')));
  t.same([...texts], [(await readFile(join(folder, 'state.key'), 'utf8')).trim()]);
  t.same(await readdir(folder), ['state.key']);
});

t.test('a key that every user can read is refused', async (t) => {
  const folder = t.testdir();
  await openSealKeys(configWith(folder));
  await chmod(join(folder, 'state.key'), 0o604);
  await t.rejects(openSealKeys(configWith(folder)), {
    code: 'STATE_UNUSABLE',
    message: /open to every user/,
  });
});

for (const [name, text] of [
  ['empty', ''],
  ['short', 'ab12'],
  ['not hexadecimal', 'z'.repeat(64)],
] as const) {
  t.test(`a key that is ${name} is refused, and not replaced`, async (t) => {
    const folder = t.testdir();
    const file = join(folder, 'state.key');
    await writeFile(file, text, { mode: 0o600 });
    await t.rejects(openSealKeys(configWith(folder)), {
      code: 'STATE_UNUSABLE',
      message: /is damaged/,
    });
    t.equal(await readFile(file, 'utf8'), text);
  });
}
