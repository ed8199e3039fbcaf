import t from 'tap';
import { makeTogether } from '../../../src/upstream/together.ts';

const never = (): AbortSignal => new AbortController().signal;

t.test('who asks for the same at the same time gets the same of one work', async (t) => {
  const together = makeTogether<number>();
  const work = Promise.withResolvers<number>();
  let begun = 0;
  const ask = (key: string) =>
    together(
      key,
      () => {
        begun += 1;
        return work.promise;
      },
      never(),
    );
  const asked = [ask('a'), ask('a'), ask('a')];
  t.equal(begun, 1);
  work.resolve(7);
  t.strictSame(await Promise.all(asked), [7, 7, 7]);
  await ask('a');
  t.equal(begun, 2, 'who comes later has it done again');
});

t.test('an error is that of all who wait, and of nobody after them', async (t) => {
  const together = makeTogether<number>();
  const failing = () => Promise.reject(new Error('no'));
  const [one, other] = [together('a', failing, never()), together('a', failing, never())];
  await t.rejects(one, { message: 'no' });
  await t.rejects(other, { message: 'no' });
  t.equal(await together('a', () => Promise.resolve(1), never()), 1);
});

t.test('who leaves ends nothing for the others; the last one ends the work', async (t) => {
  const together = makeTogether<number>();
  const work = Promise.withResolvers<number>();
  const signals: AbortSignal[] = [];
  const ask = (waiting: AbortSignal) =>
    together(
      'a',
      (signal) => {
        signals.push(signal);
        return work.promise;
      },
      waiting,
    );
  const [first, second] = [new AbortController(), new AbortController()];
  const [one, other] = [ask(first.signal), ask(second.signal)];
  first.abort(new Error('gone'));
  await t.rejects(one, { message: 'gone' });
  t.equal(signals[0]?.aborted, false);
  second.abort(new Error('gone too'));
  await t.rejects(other, { message: 'gone too' });
  t.equal(signals[0]?.aborted, true);
  const later = ask(never());
  t.equal(signals.length, 2, 'what was given up is not joined');
  work.resolve(3);
  t.equal(await later, 3);
});

t.test('who has gone already begins nothing', async (t) => {
  const gone = AbortSignal.abort(new Error('gone'));
  const work = () => t.fail('it began') as never;
  await t.rejects(makeTogether<number>()('a', work, gone), { message: 'gone' });
});
