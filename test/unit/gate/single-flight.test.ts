import t from 'tap';
import { makeSingleFlight } from '../../../src/gate/single-flight.ts';
import { never } from '../../support/gate-kit.ts';

const late = { code: 'UNAVAILABLE', message: 'it could not be found out in time' };

/** The timers of signals do not keep a process alive. */
const alive = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(alive));

t.test('work that passes its deadline is "could not find out" for all who wait', async (t) => {
  const flights = makeSingleFlight({ maxFlights: 10, deadlineMs: 5 });
  const work = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  const waiting = [1, 2, 3].map(() => flights.run('key', work, never()));
  for (const each of waiting) await t.rejects(each, late);
});

t.test('work that does not heed its deadline is joined by nobody after it', async (t) => {
  const flights = makeSingleFlight({ maxFlights: 1, deadlineMs: 5 });
  await t.rejects(
    flights.run('key', () => new Promise(() => undefined), never()),
    late,
  );
  t.equal(await flights.run('key', () => Promise.resolve('new'), never()), 'new');
});

t.test('an error of the work itself stays what it is, and ends the flight', async (t) => {
  const flights = makeSingleFlight({ maxFlights: 1, deadlineMs: 60_000 });
  const error = new TypeError('oops');
  await t.rejects(
    flights.run('key', () => Promise.reject(error), never()),
    error,
  );
  t.equal(await flights.run('key', () => Promise.resolve('new'), never()), 'new');
});

t.test('who goes away is let go, and the work goes on for the others', async (t) => {
  const flights = makeSingleFlight({ maxFlights: 1, deadlineMs: 60_000 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const leaving = new AbortController();
  let followed = 0;
  const first = flights.run('key', () => promise, leaving.signal);
  const second = flights.run(
    'key',
    () => Promise.reject(new Error('run twice')),
    never(),
    () => {
      followed += 1;
    },
  );
  leaving.abort(new Error('gone'));
  await t.rejects(first, { message: 'gone' });
  resolve('done');
  t.equal(await second, 'done');
  t.equal(followed, 1);
});

t.test('past the bound new work is refused, and what is under way is joined', async (t) => {
  const flights = makeSingleFlight({ maxFlights: 1, deadlineMs: 60_000 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = flights.run('a', () => promise, never());
  const busy = { code: 'UNAVAILABLE', message: 'too much work is under way' };
  await t.rejects(
    flights.run('b', () => promise, never()),
    busy,
  );
  const joined = flights.run('a', () => promise, never());
  resolve('done');
  t.same(await Promise.all([first, joined]), ['done', 'done']);
});
