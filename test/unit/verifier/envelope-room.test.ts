import { setImmediate as othersTurn } from 'node:timers/promises';
import t from 'tap';
import { makeEnvelopeRoom } from '../../../src/verifier/envelope-room.ts';

const never = (): AbortSignal => new AbortController().signal;

t.test('what fits goes in at once, the rest in turn as room is made', async (t) => {
  const room = makeEnvelopeRoom(100);
  const entered: string[] = [];
  const enter = async (name: string, bytes: number): Promise<() => void> => {
    const leave = await room.enter(bytes, never());
    entered.push(name);
    return leave;
  };
  const [first, second] = await Promise.all([enter('a', 60), enter('b', 40)]);
  const big = enter('c', 80);
  const small = enter('d', 10);
  await othersTurn();
  t.strictSame(entered, ['a', 'b']);
  second();
  await othersTurn();
  t.strictSame(entered, ['a', 'b'], 'a small one does not push in before a big one');
  first();
  (await big)();
  (await small)();
  t.strictSame(entered, ['a', 'b', 'c', 'd']);
});

t.test('what is larger than all the room goes in alone', async (t) => {
  const room = makeEnvelopeRoom(100);
  const leave = await room.enter(1, never());
  let isIn = false;
  const huge = room.enter(1000, never()).then((leaveHuge) => {
    isIn = true;
    return leaveHuge;
  });
  await othersTurn();
  t.equal(isIn, false);
  leave();
  (await huge)();
  t.ok(await room.enter(100, never()));
});

t.test('who gives up waiting takes no room, and holds up nobody', async (t) => {
  const room = makeEnvelopeRoom(100);
  await room.enter(60, never());
  const gone = new AbortController();
  const waiting = room.enter(100, gone.signal);
  const next = room.enter(40, never());
  gone.abort(new Error('enough'));
  await t.rejects(waiting, /enough/);
  t.ok(await next, 'which fits beside the first');
  await t.rejects(room.enter(1, gone.signal), /enough/);
});

t.test('room is given back once', async (t) => {
  const room = makeEnvelopeRoom(100);
  const leave = await room.enter(100, never());
  leave();
  leave();
  await room.enter(100, never());
  let isIn = false;
  void room.enter(1, never()).then(() => (isIn = true));
  await othersTurn();
  t.equal(isIn, false);
});
