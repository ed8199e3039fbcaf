import t, { type Test } from 'tap';
import { makeSendTurns } from '../../../src/routes/send-turns.ts';

/** Longer than any test: nobody is let through out of turn. */
const patientMs = 60_000;

/** Its own timer lets the process end; a test that waits for it does not. */
function stayAlive(t: Test): void {
  const timer = setInterval(() => undefined, patientMs);
  t.teardown(() => clearInterval(timer));
}

t.test('so many work at a time, and the next one when one ends', async (t) => {
  const turns = makeSendTurns(2, patientMs);
  const first = await turns.take('other');
  await turns.take('other');
  const seen: string[] = [];
  const third = turns.take('other').then((end) => (seen.push('third'), end));
  const fourth = turns.take('other').then((end) => (seen.push('fourth'), end));
  await new Promise(setImmediate);
  t.strictSame(seen, []);
  first();
  const endThird = await third;
  await new Promise(setImmediate);
  t.strictSame(seen, ['third'], 'in the order of asking');
  endThird();
  await fourth;
  t.strictSame(seen, ['third', 'fourth']);
});

t.test('those who begin go before all others', async (t) => {
  const turns = makeSendTurns(1, patientMs);
  let end = await turns.take('other');
  const order: string[] = [];
  const asked = (['other', 'beginner', 'other', 'beginner'] as const).map(async (who, index) => {
    const endOwn = await turns.take(who);
    order.push(`${who} ${index}`);
    end = endOwn;
  });
  for (const _ of asked) {
    end();
    await new Promise(setImmediate);
  }
  await Promise.all(asked);
  t.strictSame(order, ['beginner 1', 'beginner 3', 'other 0', 'other 2']);
});

t.test('a turn that is ended twice lets one through, not two', async (t) => {
  const turns = makeSendTurns(1, patientMs);
  const end = await turns.take('other');
  let through = 0;
  for (let count = 0; count < 2; count += 1) void turns.take('other').then(() => (through += 1));
  end();
  end();
  await new Promise(setImmediate);
  t.equal(through, 1);
});

t.test('one that never ends its turn keeps nobody waiting for ever', async (t) => {
  stayAlive(t);
  const turns = makeSendTurns(2, 1);
  await turns.take('other');
  await turns.take('other');
  const late = await Promise.all(Array.from({ length: 5 }, () => turns.take('other')));
  t.equal(late.length, 5, 'all of them worked, although nobody ended');
  for (const end of late) end();
  const seen: string[] = [];
  const next = turns.take('other').then((end) => (seen.push('next'), end));
  await next;
  t.strictSame(seen, ['next'], 'and it goes on');
});

t.test('what was let through out of turn makes no more room for ever', async (t) => {
  stayAlive(t);
  const turns = makeSendTurns(1, 1);
  const stuck = await turns.take('other');
  const extra = await turns.take('other');
  extra();
  stuck();
  const own = await turns.take('other');
  let isThrough = false;
  const waiting = turns.take('other').then(() => (isThrough = true));
  await Promise.resolve();
  t.equal(isThrough, false, 'one at a time again');
  own();
  await waiting;
});
