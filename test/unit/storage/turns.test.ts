import t from 'tap';
import { makeTurns } from '../../../src/storage/turns.ts';
import { makeBarrier } from '../../support/barrier.ts';

t.test('one work is under way at a time, in the order of asking', async (t) => {
  const inTurn = makeTurns();
  const began: string[] = [];
  const until = makeBarrier();
  const first = inTurn(async () => {
    began.push('first');
    await until.pass();
    return 1;
  });
  const second = inTurn(async () => {
    began.push('second');
    return 2;
  });
  await until.reached;
  await new Promise(setImmediate);
  t.same(began, ['first']);
  until.release();
  t.same(await Promise.all([first, second]), [1, 2]);
  t.same(began, ['first', 'second']);
});

t.test('a work that fails fails for whoever asked for it, and for nobody else', async (t) => {
  const inTurn = makeTurns();
  const failing = inTurn(() => Promise.reject(new Error('no')));
  const next = inTurn(async () => 'done');
  await t.rejects(failing, { message: 'no' });
  t.equal(await next, 'done');
});
