import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fingerprintOf, watchFiles } from '../../../src/compose/watch-files.ts';

const never = 2 ** 30;

t.test('a fingerprint is the same until something changes', async (t) => {
  const folder = t.testdir({ policy: 'a', trust: { ca: { 'root.pem': 'x' } } });
  const look = () => fingerprintOf(folder);
  let last = await look();
  t.equal(await look(), last);
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    'other bytes': () => writeFile(join(folder, 'policy'), 'bb'),
    'another time': () => utimes(join(folder, 'policy'), 1, 1),
    'a new file': () => writeFile(join(folder, 'trust/ca/new.pem'), ''),
    'a file replaced by one of the same size': async () => {
      await writeFile(join(folder, 'draft'), 'cc');
      await rename(join(folder, 'draft'), join(folder, 'policy'));
    },
    'a removed file': () => rm(join(folder, 'trust/ca/root.pem')),
    'a removed folder': () => rm(join(folder, 'trust'), { recursive: true }),
    'a folder that is back': () => mkdir(join(folder, 'trust')),
  };
  for (const [name, change] of Object.entries(changes)) {
    await change();
    const now = await look();
    t.not(now, last, name);
    last = now;
  }
});

t.test('the swap of a link is a change of what it leads to', async (t) => {
  const folder = t.testdir({ one: { policy: 'a' }, two: { policy: 'a' } });
  const link = join(folder, 'current');
  await symlink('one', link);
  const before = await fingerprintOf(join(link, 'policy'));
  await symlink('two', join(folder, 'next'));
  await rename(join(folder, 'next'), link);
  t.not(await fingerprintOf(join(link, 'policy')), before);
});

async function asReadNow(...files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const prints = files.map(async (file) => [file, await fingerprintOf(file)] as const);
  return new Map(await Promise.all(prints));
}

t.test('a look calls back after a change, until the change was read', async (t) => {
  const file = join(t.testdir({ policy: 'a' }), 'policy');
  let asRead = await asReadNow(file);
  let calls = 0;
  const watch = watchFiles(
    () => asRead,
    never,
    async () => void calls++,
  );
  t.teardown(() => watch.close());
  await watch.look();
  t.equal(calls, 0);
  await writeFile(file, 'bb');
  await watch.look();
  t.equal(calls, 1);
  asRead = await asReadNow(file);
  await watch.look();
  t.equal(calls, 1);
});

t.test('a change between the reading and the first look is seen', async (t) => {
  const file = join(t.testdir({ policy: 'a' }), 'policy');
  const asRead = await asReadNow(file);
  await writeFile(file, 'bb');
  let calls = 0;
  const watch = watchFiles(
    () => asRead,
    never,
    async () => void calls++,
  );
  t.teardown(() => watch.close());
  await watch.look();
  t.equal(calls, 1);
});

t.test('several changed files ask for one reload', async (t) => {
  const folder = t.testdir({ policy: 'a', referred: 'a' });
  const files = [join(folder, 'policy'), join(folder, 'referred')];
  const asRead = await asReadNow(...files);
  let calls = 0;
  const watch = watchFiles(
    () => asRead,
    never,
    async () => void calls++,
  );
  t.teardown(() => watch.close());
  for (const file of files) await writeFile(file, 'bb');
  await watch.look();
  t.equal(calls, 1);
});

t.test('changes are also seen without being asked for', async (t) => {
  const file = join(t.testdir({ policy: 'a' }), 'policy');
  const asRead = await asReadNow(file);
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = watchFiles(
    () => asRead,
    5,
    async () => resolve(),
  );
  const awake = setInterval(() => undefined, 1_000);
  t.teardown(() => {
    clearInterval(awake);
    watch.close();
  });
  await writeFile(file, 'bb');
  await t.resolves(promise);
});
