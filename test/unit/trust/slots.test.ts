import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { makeSlots } from '../../../src/trust/slots.ts';

const { signal } = new AbortController();

t.test('so many run at once, the others in order, and a failure frees its place', async (t) => {
  const slots = makeSlots(2, 10);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const run = (index: number): Promise<number> =>
    slots.run(async () => {
      started.push(index);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (index === 0) throw new Error('it failed');
      return index;
    }, signal);
  const [first = run(0), ...all] = [0, 1, 2, 3].map(run);
  await setImmediate();
  t.strictSame(started, [0, 1]);
  ends[0]?.();
  await t.rejects(first, /it failed/);
  await setImmediate();
  t.strictSame(started, [0, 1, 2]);
  ends[1]?.();
  t.equal(await all[0], 1);
  await setImmediate();
  t.strictSame(started, [0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  t.strictSame(await Promise.all(all.slice(1)), [2, 3]);
});

t.test('no more wait than may, and who waits may leave', async (t) => {
  const slots = makeSlots(1, 1);
  const { promise, resolve } = Promise.withResolvers<string>();
  const running = slots.run(() => promise, signal);
  const leaver = new AbortController();
  const waiting = slots.run(async () => 'waited', leaver.signal);
  await t.rejects(
    slots.run(async () => 'never', signal),
    /too many requests wait/,
  );
  leaver.abort(new Error('gone'));
  await t.rejects(waiting, /gone/);
  const next = slots.run(async () => 'next', signal);
  resolve('done');
  t.strictSame(await Promise.all([running, next]), ['done', 'next']);
  await t.rejects(
    slots.run(async () => 'never', AbortSignal.abort(new Error('too late'))),
    /too late/,
  );
  t.equal(await slots.run(async () => 'free', signal), 'free');
});
