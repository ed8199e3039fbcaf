import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { repeat } from '../../../src/compose/repeat.ts';

const never = 2 ** 30;

/** Work whose rounds end when the test says so. */
function makeWork() {
  const rounds: PromiseWithResolvers<void>[] = [];
  const work = (): Promise<void> => {
    const round = Promise.withResolvers<void>();
    rounds.push(round);
    return round.promise;
  };
  return { rounds, work };
}

t.test('it goes round by itself', async (t) => {
  // What is repeated keeps no process alive.
  const alive = setInterval(() => undefined, 60_000);
  t.teardown(() => clearInterval(alive));
  const twice = Promise.withResolvers<void>();
  let count = 0;
  const rounds = repeat(async () => {
    count += 1;
    if (count === 2) twice.resolve();
  }, 1);
  await twice.promise;
  await rounds.close();
  t.ok(count >= 2);
});

t.test('rounds never run beside each other, and what is asked for meanwhile is done', async (t) => {
  const { rounds, work } = makeWork();
  const repeated = repeat(work, never);
  repeated.now();
  repeated.now();
  repeated.now();
  t.equal(rounds.length, 1);
  rounds[0]!.resolve();
  await turn();
  t.equal(rounds.length, 2, 'once for all who asked');
  rounds[1]!.resolve();
  await turn();
  t.equal(rounds.length, 2);
  await repeated.close();
});

t.test('closing waits for the round under way, and begins none', async (t) => {
  const { rounds, work } = makeWork();
  const repeated = repeat(work, never);
  repeated.now();
  repeated.now();
  let isClosed = false;
  const close = async (): Promise<void> => {
    await repeated.close();
    isClosed = true;
  };
  const closing = close();
  await turn();
  t.equal(isClosed, false);
  rounds[0]!.resolve();
  await closing;
  repeated.now();
  t.equal(rounds.length, 1);
});
