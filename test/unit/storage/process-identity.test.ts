import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { livenessOf, readOwnIdentity } from '../../../src/storage/process-identity.ts';

const own = await readOwnIdentity(systemFiles);

t.test('this process is alive, and knows when it and the machine began', async (t) => {
  t.equal(own.pid, process.pid);
  t.match(own.started, /^\d+$/);
  t.match(own.boot, /^[0-9a-f-]{36}$/);
  t.match(own.namespace, /^pid:\[\d+\]$/);
  t.equal(await livenessOf(own, own, systemFiles), 'alive');
});

t.test('another process is alive until it ends', async (t) => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: 'pipe' });
  const { pid } = child;
  const stat = await systemFiles.readFile(`/proc/${pid}/stat`, 'utf8');
  const started = stat.split(' ')[21] ?? '';
  const other = { ...own, pid: pid ?? 0, started };
  t.equal(await livenessOf(other, own, systemFiles), 'alive');
  const earlier = { ...other, started: '1' };
  t.equal(await livenessOf(earlier, own, systemFiles), 'dead', 'another one had the number');
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.equal(await livenessOf(other, own, systemFiles), 'dead');
});

t.test('one that was killed and not yet waited for is dead', async (t) => {
  const files = {
    ...systemFiles,
    readFile: (async () => `1 (a) b) Z ${'0 '.repeat(18)}77 0`) as never,
  };
  t.equal(await livenessOf({ ...own, started: '77' }, own, files), 'dead');
});

t.test(
  'before the last start of the machine all are dead; in a container, nobody knows',
  async (t) => {
    t.equal(await livenessOf({ ...own, boot: 'x' }, own, systemFiles), 'dead-before-boot');
    t.equal(await livenessOf({ ...own, namespace: 'pid:[1]' }, own, systemFiles), 'unknown');
  },
);

t.test('where the system does not say, a number in use is alive', async (t) => {
  const files = { ...systemFiles, readFile: (() => Promise.reject(new Error('no'))) as never };
  t.equal(await livenessOf(own, own, files), 'alive');
});
