import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { dropLock, placeLock, readLock } from '../../../src/storage/lock-file.ts';
import { type ProcessIdentity, readOwnIdentity } from '../../../src/storage/process-identity.ts';
import { makeFolders, makeStoreFolder } from '../../../src/storage/store-folder.ts';

const own = await readOwnIdentity(systemFiles);
const [first, second] = ['ab'.repeat(8), 'cd'.repeat(8)] as const;

async function open(t: Test, identity: Partial<ProcessIdentity> = {}) {
  const folder = makeStoreFolder(t.testdir());
  await makeFolders(folder, systemFiles);
  const dependencies = { folder, files: systemFiles, own: { ...own, ...identity } };
  return { dependencies, lock: join(folder.staging, 'x.lock'), staging: folder.staging };
}

t.test('the first to place it has it, and it says who that is', async (t) => {
  const { lock, staging, dependencies } = await open(t);
  t.equal(await placeLock(lock, first, dependencies), true);
  t.equal(await placeLock(lock, second, dependencies), false);
  t.strictSame(await readLock(lock, { files: systemFiles, own }), { owner: first, isDead: false });
  t.strictSame(readdirSync(staging), ['x.lock']);
});

t.test('of an earlier start of the machine, everybody is dead', async (t) => {
  const { lock, dependencies } = await open(t, { boot: 'another' });
  await placeLock(lock, first, dependencies);
  t.match(await readLock(lock, { files: systemFiles, own }), { isDead: true });
});

t.test('one that is not there is nobody of', async (t) => {
  const { lock, dependencies } = await open(t);
  t.equal(await readLock(lock, dependencies), undefined);
});

t.test('one that can not be read is of somebody who may live', async (t) => {
  const { lock, dependencies } = await open(t);
  writeFileSync(lock, `${first} 12\n`);
  t.strictSame(await readLock(lock, dependencies), { owner: '', isDead: false });
});

t.test('one whose bytes a power cut took is of nobody who lives', async (t) => {
  const { lock, dependencies } = await open(t);
  for (const text of ['', `${first} 12`, '\0'.repeat(60)]) {
    writeFileSync(lock, text);
    t.strictSame(await readLock(lock, dependencies), { owner: '', isDead: true });
  }
  await dropLock(lock, '', dependencies);
  t.equal(await placeLock(lock, first, dependencies), true);
});

t.test("only the owner's is dropped; another one is put back as it was", async (t) => {
  const { lock, staging, dependencies } = await open(t);
  await placeLock(lock, first, dependencies);
  const line = readFileSync(lock, 'utf8');
  await dropLock(lock, second, dependencies);
  t.equal(readFileSync(lock, 'utf8'), line);
  await dropLock(lock, first, dependencies);
  t.strictSame(readdirSync(staging), []);
});
