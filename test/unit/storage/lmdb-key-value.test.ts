import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { openLmdbKeyValue } from '../../../src/storage/lmdb-key-value.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { keyValueContract } from '../../contract/key-value.ts';

async function open(t: Test, folder = t.testdir()): Promise<KeyValue> {
  const store = await openLmdbKeyValue(folder);
  t.teardown(() => store.close());
  return store;
}

keyValueContract(t, (t) => open(t));

t.test('values are there again after the database was closed and opened', async (t) => {
  const folder = t.testdir();
  const store = await open(t, folder);
  await store.put('a', Buffer.from('one'));
  await store.close();
  const again = await open(t, folder);
  t.equal(Buffer.from((await again.get('a')) ?? []).toString(), 'one');
});

t.test('the folder is made, for its owner alone', async (t) => {
  const { stat } = await import('node:fs/promises');
  const folder = join(t.testdir(), 'deep', 'state');
  await open(t, folder);
  t.equal((await stat(folder)).mode & 0o777, 0o700);
});

t.test('the file grows far past its first size', async (t) => {
  const store = await open(t);
  const value = Buffer.alloc(64 * 1024, 1);
  await Promise.all(Array.from({ length: 300 }, (_, index) => store.put(`k${index}`, value)));
  t.equal((await store.get('k299'))?.byteLength, value.byteLength);
  t.equal((await store.keys('k', 1000)).length, 300);
});

t.test('two openings in one process see each other, and one survives the other', async (t) => {
  const folder = t.testdir();
  const one = await open(t, folder);
  const other = await open(t, folder);
  await one.put('a', Buffer.from('x'));
  t.ok(await other.get('a'));
  await one.close();
  await other.put('b', Buffer.from('y'));
  t.strictSame(await other.keys('', 9), ['a', 'b']);
});

const peer = new URL('../../support/key-value-peer.ts', import.meta.url);

async function ask(child: ChildProcess, ...request: readonly string[]): Promise<unknown> {
  child.send(request);
  const [answer] = (await once(child, 'message')) as [unknown];
  return answer;
}

t.test('a write by another process is seen by the next read, also past our map', async (t) => {
  const folder = t.testdir();
  const store = await open(t, folder);
  await store.put('a', Buffer.from('ours'));
  const child = fork(peer, [folder], { stdio: 'inherit' });
  t.teardown(() => child.kill('SIGKILL'));
  t.equal(await ask(child, 'get', 'a'), 'ours');
  for (const text of ['one', 'two', 'three']) {
    await ask(child, 'put', 'a', text);
    t.equal(Buffer.from((await store.get('a')) ?? []).toString(), text);
  }
  await ask(child, 'fill', '200');
  t.equal((await store.keys('fill/', 1000)).length, 200);
  t.equal((await store.get('fill/199'))?.byteLength, 64 * 1024);
  await store.put('a', Buffer.from('ours again'));
  t.equal(await ask(child, 'get', 'a'), 'ours again');
});

t.test('a process that is killed while it writes takes nothing along', async (t) => {
  const folder = t.testdir();
  const store = await open(t, folder);
  await store.put('a', Buffer.from('ours'));
  const child = fork(peer, [folder], { stdio: 'inherit' });
  await ask(child, 'put', 'b', 'theirs');
  child.send(['fill', '1000']);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await store.put('c', Buffer.from('after'));
  t.strictSame(
    (await store.keys('', 3)).filter((key) => !key.startsWith('fill/')),
    ['a', 'b', 'c'],
  );
});

t.test(
  'a full disk is an error that says so, and ends neither the process nor its closing',
  async (t) => {
    const folder = t.testdir();
    const limited = [
      '-c',
      'ulimit -f 2048; exec "$0" "$@"',
      process.execPath,
      peer.pathname,
      folder,
    ];
    // The library writes of its own to stderr when a commit fails.
    const child = spawn('/bin/sh', limited, { stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
    t.teardown(() => child.kill('SIGKILL'));
    t.equal(await ask(child, 'put', 'a', 'ours'), 'put');
    t.match(
      await ask(child, 'fill', '100'),
      /^failed: StorageError: the state database in .* failed: ./,
    );
    t.equal(await ask(child, 'get', 'a'), 'ours', 'what was there still is');
    t.equal(await ask(child, 'put', 'b', 'small'), 'put', 'what still fits goes in');
    t.equal(await ask(child, 'close'), 'closed');
  },
);

t.test('on a full disk each write is told what became of it', async (t) => {
  const limited = [
    '-c',
    'ulimit -f 2048; exec "$0" "$@"',
    process.execPath,
    peer.pathname,
    t.testdir(),
  ];
  const child = spawn('/bin/sh', limited, { stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  // Several transactions, each of which fails or not: the first ones fit.
  for (const [prefix, count] of Object.entries({ a: '4', b: '60', c: '4', d: '120', e: '3' })) {
    t.match(
      await ask(child, 'fill each', count, prefix),
      /^done \d+, failed \d+, told wrong 0$/,
      `${count} writes at once`,
    );
  }
});

t.test('a folder that can not be made is an error that names it', async (t) => {
  const file = join(t.testdir({ taken: 'a file' }), 'taken');
  const error = await openLmdbKeyValue(file).catch((thrown: unknown) => thrown);
  t.ok(error instanceof StorageError);
  t.match((error as StorageError).message, file);
});
