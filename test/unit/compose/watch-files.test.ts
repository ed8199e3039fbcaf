import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fingerprintOf, watchFiles } from '../../../src/compose/watch-files.ts';

const never = 2 ** 30;

t.test('a fingerprint is the same until something changes', async (t) => {
  const folder = t.testdir({ policy: 'a', trust: { ca: { 'root.pem': 'x' } } });
  const paths = [join(folder, 'policy'), join(folder, 'trust')];
  const look = () => fingerprintOf(paths);
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
  const before = await fingerprintOf([join(link, 'policy')]);
  await symlink('two', join(folder, 'next'));
  await rename(join(folder, 'next'), link);
  t.not(await fingerprintOf([join(link, 'policy')]), before);
});

t.test('a look calls back after a change, once', async (t) => {
  const file = join(t.testdir({ policy: 'a' }), 'policy');
  let calls = 0;
  const watch = await watchFiles(
    () => [file],
    never,
    async () => void calls++,
  );
  t.teardown(() => watch.close());
  await watch.look();
  t.equal(calls, 0);
  await writeFile(file, 'bb');
  await watch.look();
  await watch.look();
  t.equal(calls, 1);
});

t.test('a file that counts only after a change is watched from then on', async (t) => {
  const folder = t.testdir({ policy: 'a', referred: 'a' });
  const [policy, referred] = [join(folder, 'policy'), join(folder, 'referred')];
  let files = [policy];
  let calls = 0;
  const watch = await watchFiles(
    () => files,
    never,
    async () => {
      calls++;
      files = [policy, referred];
    },
  );
  t.teardown(() => watch.close());
  await writeFile(policy, 'bb');
  await watch.look();
  await watch.look();
  t.equal(calls, 1);
  await writeFile(referred, 'bb');
  await watch.look();
  t.equal(calls, 2);
});

t.test('changes are also seen without being asked for', async (t) => {
  const file = join(t.testdir({ policy: 'a' }), 'policy');
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = await watchFiles(
    () => [file],
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
