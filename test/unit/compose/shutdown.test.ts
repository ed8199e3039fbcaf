import { EventEmitter, once } from 'node:events';
import t from 'tap';
import {
  shutDown,
  type ShutdownTiming,
  type Stoppable,
  hearStopSignals,
} from '../../../src/compose/shutdown.ts';

/** An app whose last answer ends when `finish` is called, or when its connections are cut. */
function makeStoppable() {
  const steps: string[] = [];
  const events = new EventEmitter();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const step = (name: string): void => {
    steps.push(name);
    events.emit(name);
  };
  const app: Stoppable = {
    beginDraining: () => step('drain'),
    close: () => {
      step('close');
      return closed.then(() => step('closed'));
    },
    closeIdleConnections: () => events.emit('sweep'),
    destroyConnections: () => {
      step('destroy');
      resolve();
    },
  };
  return { app, steps, events, finish: resolve };
}

const endless = 2 ** 30;
const timing = (changes: Partial<ShutdownTiming>): ShutdownTiming => ({
  drainDelayMs: 0,
  maxStreamsMs: endless,
  idleSweepMs: endless,
  ...changes,
});
const patient = new AbortController().signal;

t.test(
  'it is not ready before it stops listening, and answers under way are finished',
  async (t) => {
    const { app, steps, events, finish } = makeStoppable();
    const down = shutDown(app, timing({}), patient);
    await once(events, 'close');
    finish();
    await down;
    t.same(steps, ['drain', 'close', 'closed']);
  },
);

t.test('what is not finished within the time is cut', async (t) => {
  const { app, steps } = makeStoppable();
  await shutDown(app, timing({ maxStreamsMs: 1 }), patient);
  t.same(steps, ['drain', 'close', 'destroy', 'closed']);
});

t.test('a second signal ends the wait for load balancers and cuts what is under way', async (t) => {
  const { app, steps } = makeStoppable();
  const impatient = new AbortController();
  const down = shutDown(app, timing({ drainDelayMs: endless }), impatient.signal);
  t.same(steps, ['drain']);
  impatient.abort();
  await down;
  t.same(steps, ['drain', 'close', 'destroy', 'closed']);
});

t.test('connections that become idle meanwhile are closed', async (t) => {
  const { app, events, finish, steps } = makeStoppable();
  const down = shutDown(app, timing({ idleSweepMs: 1 }), patient);
  await once(events, 'sweep');
  finish();
  await down;
  t.same(steps, ['drain', 'close', 'closed']);
});

t.test('an app that fails to close says so', async (t) => {
  const { app } = makeStoppable();
  const failing = { ...app, close: () => Promise.reject(new Error('stuck')) };
  await t.rejects(shutDown(failing, timing({}), patient), { message: 'stuck' });
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} asks for the end`, async (t) => {
    const signals = new EventEmitter();
    const stops = hearStopSignals(signals);
    signals.emit(signal);
    t.equal(await stops.first, signal);
    stops.close();
    t.equal(signals.listenerCount(signal), 0);
  });
}
