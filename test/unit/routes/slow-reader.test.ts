import type { ServerResponse } from 'node:http';
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { cutOffSlowReader } from '../../../src/routes/slow-reader.ts';

const limits = { intervalMs: 1000, minBytes: 100 };

/** A response of which the test says how far its bytes have come. */
function watch(t: Test) {
  mock.timers.enable({ apis: ['setInterval'] });
  const socket = { bytesWritten: 0, writableLength: 0 };
  const response = {
    socket: socket as typeof socket | null,
    writableNeedDrain: false,
    destroyed: false,
    destroy() {
      this.destroyed = true;
    },
  };
  const stop = cutOffSlowReader(response as unknown as ServerResponse, limits);
  t.teardown(() => {
    stop();
    mock.timers.reset();
  });
  return { socket, response, stop, pass: () => mock.timers.tick(limits.intervalMs) };
}

t.test('a client that leaves a full buffer and takes too little is cut off', async (t) => {
  const { socket, response, pass } = watch(t);
  response.writableNeedDrain = true;
  Object.assign(socket, { bytesWritten: 5000, writableLength: 4000 });
  pass();
  t.equal(response.destroyed, false, '1000 bytes taken');
  Object.assign(socket, { bytesWritten: 5000, writableLength: 3900 });
  pass();
  t.equal(response.destroyed, false, '100 bytes taken');
  Object.assign(socket, { bytesWritten: 6000, writableLength: 4801 });
  pass();
  t.equal(response.destroyed, true, '99 bytes taken');
});

t.test('a client that waits for us is not', async (t) => {
  const { response, pass } = watch(t);
  pass();
  pass();
  t.equal(response.destroyed, false);
});

t.test('a watch that was stopped cuts nobody off', async (t) => {
  const { response, stop, pass } = watch(t);
  response.writableNeedDrain = true;
  stop();
  pass();
  t.equal(response.destroyed, false);
});

t.test('a connection that has gone already is no mistake', async (t) => {
  const { response, pass } = watch(t);
  response.writableNeedDrain = true;
  response.socket = null;
  pass();
  t.equal(response.destroyed, true);
});
