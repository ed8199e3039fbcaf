import cluster from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { forkWorker } from '../../../src/compose/fork-worker.ts';

const exits = new EventEmitter();
const listener = {
  onMessage: () => undefined,
  onExit: (code: number | null, signal: string | null) => void exits.emit('exit', code, signal),
};
const noProcess = Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' });

t.test('a process that the system does not start has ended', async (t) => {
  const child = Object.assign(new EventEmitter(), { pid: undefined });
  const worker = Object.assign(new EventEmitter(), { process: child, isConnected: () => false });
  t.intercept(cluster, 'fork', { value: () => worker });
  const ended = once(exits, 'exit');
  const process = forkWorker(listener);
  worker.emit('error', noProcess);
  t.same(await ended, [null, 'EAGAIN']);
  t.equal(process.pid, undefined);
});

t.test('so has one that the system refuses at once', async (t) => {
  const refuse = (): never => {
    throw noProcess;
  };
  t.intercept(cluster, 'fork', { value: refuse });
  const ended = once(exits, 'exit');
  const process = forkWorker(listener);
  process.send({ kind: 'close' });
  process.kill();
  t.same(await ended, [null, 'EAGAIN']);
});

t.test('an end without a code of the system is told by a word all the same', async (t) => {
  const refuse = (): never => {
    throw new Error('no reason is given');
  };
  t.intercept(cluster, 'fork', { value: refuse });
  const ended = once(exits, 'exit');
  forkWorker(listener);
  t.same(await ended, [null, 'fork']);
});

t.test('an error of a channel to one that runs is not its end', async (t) => {
  const child = Object.assign(new EventEmitter(), { pid: 4711 });
  const worker = Object.assign(new EventEmitter(), { process: child, isConnected: () => false });
  t.intercept(cluster, 'fork', { value: () => worker });
  const ended = once(exits, 'exit');
  forkWorker(listener);
  worker.emit('error', noProcess);
  child.emit('exit', 70, null);
  t.same(await ended, [70, null]);
});
