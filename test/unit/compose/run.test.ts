import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { type Runnable, runUntilStopped } from '../../../src/compose/run.ts';
import { StartupError } from '../../../src/compose/startup-error.ts';
import { makePinoLog } from '../../../src/observe/pino-log.ts';

const timing = { drainDelayMs: 0, maxStreamsMs: 2 ** 30, idleSweepMs: 2 ** 30 };
const addresses = { oci: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2' };

/** Says what is done with it, and closes when it is told to. */
function makeApp(overrides: Partial<Runnable> = {}) {
  const done: string[] = [];
  const signals = new EventEmitter();
  const listening = Promise.withResolvers<void>();
  const app: Runnable = {
    log: makePinoLog({ level: 'silent' }),
    listen: async () => addresses,
    reload: async () => void done.push('reload'),
    beginDraining: () => void done.push('drain'),
    close: async () => void done.push('close'),
    closeIdleConnections: () => undefined,
    destroyConnections: () => void done.push('cut'),
    ...overrides,
  };
  const run = runUntilStopped(app, signals, () => listening.resolve(), timing);
  return { done, signals, run, listening: listening.promise };
}

t.test('it runs until a signal, reloads by another, and ends in order', async (t) => {
  const { done, signals, run, listening } = makeApp();
  await listening;
  signals.emit('SIGHUP');
  signals.emit('SIGTERM');
  await run;
  t.same(done, ['reload', 'drain', 'close']);
  t.equal(signals.listenerCount('SIGHUP'), 0);
});

t.test('what it fails by ends it in order too, and is thrown', async (t) => {
  const failure = Promise.withResolvers<never>();
  const { done, run, listening } = makeApp({ failure: failure.promise });
  await listening;
  failure.reject(new Error('workers crash'));
  await t.rejects(run, { message: 'workers crash' });
  t.same(done, ['drain', 'close']);
});

t.test('a signal cuts an end that follows a failure', async (t) => {
  const failure = Promise.withResolvers<never>();
  const cutting = new EventEmitter();
  const { signals, run, listening } = makeApp({
    failure: failure.promise,
    close: async () => void (await once(cutting, 'cut')),
    destroyConnections: () => void cutting.emit('cut'),
    beginDraining: () => void setImmediate(() => signals.emit('SIGTERM')),
  });
  await listening;
  failure.reject(new Error('workers crash'));
  await t.rejects(run, { message: 'workers crash' });
});

t.test('what keeps it from listening is thrown, and nothing stays open', async (t) => {
  const error = new StartupError('ADDRESS_UNUSABLE', 'taken');
  const { done, run } = makeApp({ listen: () => Promise.reject(error) });
  await t.rejects(run, error);
  t.same(done, ['close']);
});

t.test('a second signal cuts, however soon it comes after the first', async (t) => {
  for (const [one, other] of [
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ] as const) {
    const cutting = Promise.withResolvers<void>();
    const { signals, run, listening } = makeApp({
      close: () => cutting.promise,
      destroyConnections: () => cutting.resolve(),
    });
    await listening;
    signals.emit(one);
    t.ok(signals.listenerCount(other) > 0, 'nobody hearing it, it would end the process');
    signals.emit(other);
    await run;
    t.same([signals.listenerCount('SIGINT'), signals.listenerCount('SIGTERM')], [0, 0]);
  }
});
