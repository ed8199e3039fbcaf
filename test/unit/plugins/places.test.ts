import t from 'tap';
import { makePlaces } from '../../../src/plugins/places.ts';

const never = (): AbortSignal => new AbortController().signal;

t.test('so many go at once, so many wait, and the next is turned away', async (t) => {
  const places = makePlaces({ running: 1, waiting: 1 });
  const first = await places.take(never());
  const second = places.take(never());
  t.ok(first);
  t.equal(await places.take(never()), undefined);
  first?.giveBack();
  t.ok(await second);
});

t.test('a place that is given back twice is one place', async (t) => {
  const places = makePlaces({ running: 1, waiting: 0 });
  const first = await places.take(never());
  first?.giveBack();
  first?.giveBack();
  t.ok(await places.take(never()));
  t.equal(await places.take(never()), undefined);
});

t.test('who gives up waiting leaves its turn to the next', async (t) => {
  const places = makePlaces({ running: 1, waiting: 2 });
  const first = await places.take(never());
  const giveUp = new AbortController();
  const second = places.take(giveUp.signal);
  const third = places.take(never());
  giveUp.abort(new Error('enough'));
  await t.rejects(second, { message: 'enough' });
  first?.giveBack();
  t.ok(await third);
});

t.test('a place given in the moment of giving up goes to the next', async (t) => {
  const places = makePlaces({ running: 1, waiting: 2 });
  const first = await places.take(never());
  const giveUp = new AbortController();
  const second = places.take(giveUp.signal);
  const third = places.take(never());
  giveUp.abort(new Error('enough'));
  first?.giveBack();
  await t.rejects(second, { message: 'enough' });
  t.ok(await third);
});

t.test('who has given up before gets none', async (t) => {
  const places = makePlaces({ running: 1, waiting: 0 });
  await t.rejects(places.take(AbortSignal.abort(new Error('enough'))), { message: 'enough' });
  t.ok(await places.take(never()));
});
