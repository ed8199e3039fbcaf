import { readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDurableFile } from '../../../src/storage/durable-file.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

t.test('what was written is read back, for us alone', async (t) => {
  const folder = t.testdir();
  const file = makeDurableFile(join(folder, 'list'), 100);
  t.equal(await file.read(), undefined);
  await file.write(Buffer.from('one'));
  await file.write(Buffer.from('two'));
  t.same(await file.read(), Buffer.from('two'));
  t.same(readdirSync(folder), ['list']);
  t.equal(statSync(file.path).mode & 0o777, 0o600);
});

t.test('a write that fails leaves the former file, and nothing beside it', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'list');
  await makeDurableFile(path, 100).write(Buffer.from('one'));
  const cause = new Error('no space');
  const rename = async (): Promise<void> => {
    throw cause;
  };
  const file = makeDurableFile(path, 100, { ...systemFiles, rename });
  await t.rejects(file.write(Buffer.from('two')), { name: 'StorageError', cause });
  t.same(await file.read(), Buffer.from('one'));
  t.same(readdirSync(folder), ['list']);
});

t.test('it has reached the disk, name and all, before a write resolves', async (t) => {
  const path = join(t.testdir(), 'list');
  const synced: string[] = [];
  const open: typeof systemFiles.open = async (name, flags, mode) => {
    const handle = await systemFiles.open(name, flags, mode);
    const sync = handle.sync.bind(handle);
    handle.sync = () => {
      synced.push(flags === 'wx' ? 'file' : 'folder');
      return sync();
    };
    return handle;
  };
  const rename: typeof systemFiles.rename = async (from, to) => {
    synced.push('rename');
    await systemFiles.rename(from, to);
  };
  await makeDurableFile(path, 100, { ...systemFiles, open, rename }).write(Buffer.from('one'));
  t.same(synced, ['file', 'rename', 'folder']);
});

t.test('a file that is too large, or none, is an error and not an absence', async (t) => {
  const folder = t.testdir({ 'a folder': {} });
  writeFileSync(join(folder, 'large'), Buffer.alloc(101));
  symlinkSync(join(folder, 'a folder'), join(folder, 'link'));
  for (const name of ['large', 'a folder', 'link']) {
    await t.rejects(makeDurableFile(join(folder, name), 100).read(), StorageError, name);
  }
});
