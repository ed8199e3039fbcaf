import { getEventListeners } from 'node:events';
import t from 'tap';
import { abortable, inTime, withDeadline } from '../../../src/kernel/abort.ts';

t.test('a promise that never settles ends with the signal, by its reason', async (t) => {
  const controller = new AbortController();
  const waiting = abortable(new Promise(() => undefined), controller.signal);
  controller.abort(new Error('the client left'));
  await t.rejects(waiting, { message: 'the client left' });
});

t.test(
  'an aborted signal rejects at once, a settled promise wins over a later abort',
  async (t) => {
    await t.rejects(abortable(Promise.resolve(1), AbortSignal.abort(new Error('gone'))), /gone/);
    t.equal(await abortable(Promise.resolve(1), new AbortController().signal), 1);
  },
);

t.test('a deadline ends by itself, or with the signal of the caller', async (t) => {
  const controller = new AbortController();
  const byCaller = withDeadline(60_000, controller.signal);
  controller.abort(new Error('the client left'));
  t.ok(byCaller.aborted);
  // A deadline alone does not keep a process alive, as nothing waits for it.
  const alive = setInterval(() => undefined, 1000);
  const byTime = withDeadline(1);
  await t.rejects(abortable(new Promise(() => undefined), byTime), { name: 'TimeoutError' });
  clearInterval(alive);
});

t.test('work with a deadline ends by time, or with the signal of the caller', async (t) => {
  const { signal } = new AbortController();
  const alive = setInterval(() => undefined, 1000);
  const hanging = (ending: AbortSignal) => abortable(new Promise(() => undefined), ending);
  await t.rejects(inTime(1, signal, hanging), { name: 'TimeoutError' });
  clearInterval(alive);

  const controller = new AbortController();
  const byCaller = inTime(60_000, controller.signal, hanging);
  const reason = new Error('the client left');
  controller.abort(reason);
  await t.rejects(byCaller, reason);
  await t.rejects(inTime(60_000, controller.signal, hanging), reason);
});

t.test('a deadline leaves nothing behind once its work is over', async (t) => {
  const controller = new AbortController();
  const used = await inTime(60_000, controller.signal, async (ending) => {
    t.equal(getEventListeners(controller.signal, 'abort').length, 1);
    return ending;
  });
  t.equal(getEventListeners(controller.signal, 'abort').length, 0);
  controller.abort(new Error('the client left'));
  t.notOk(used.aborted);
});

t.test('what nobody waits for any more may fail without a trace', async (t) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  const { promise, reject } = Promise.withResolvers<never>();
  await t.rejects(abortable(promise, AbortSignal.abort(new Error('gone'))), /gone/);
  reject(new Error('failed later'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  t.same(unhandled, []);
});
