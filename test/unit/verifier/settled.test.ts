import t from 'tap';
import { eachSettled } from '../../../src/verifier/settled.ts';

t.test('results come as they are there, not in the order of the tasks', async (t) => {
  const slow = Promise.withResolvers<string>();
  const tasks = [() => slow.promise, async () => 'fast', async () => 'other'];
  const seen: string[] = [];
  for await (const result of eachSettled(() => tasks.shift(), 2)) {
    seen.push(result);
    if (result === 'other') slow.resolve('slow');
  }
  t.strictSame(seen, ['fast', 'other', 'slow']);
});

t.test('what the consumer adds for a result is run too', async (t) => {
  const tasks = [async () => 3];
  const seen: number[] = [];
  for await (const result of eachSettled(() => tasks.shift(), 4)) {
    seen.push(result);
    if (result > 1) tasks.push(async () => result - 1);
  }
  t.strictSame(seen, [3, 2, 1]);
});

t.test('no task, no result', async (t) => {
  const results = eachSettled(() => undefined, 4);
  t.same(await results.next(), { done: true, value: undefined });
});

t.test('a consumer that stops starts nothing more', async (t) => {
  let started = 0;
  const next = () => async () => (started += 1);
  for await (const _ of eachSettled(next, 3)) break;
  t.equal(started, 3);
});
