import t from 'tap';
import { askForLeases, makeHostLeases } from '../../../src/compose/host-leases.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

function makeHost() {
  const clock = makeFakeClock();
  const host = makeHostLeases(clock);
  const worker = () => {
    const process = {};
    const leases = askForLeases(async (question) => host.answer(process, question));
    return { ...leases, end: () => host.forget(process) };
  };
  return { clock, one: worker(), other: worker() };
}

t.test('of two workers one has the lease, and the other when it was given back', async (t) => {
  const { one, other } = makeHost();
  const lease = await one.take('a', 1000);
  t.ok(lease);
  t.equal(await other.take('a', 1000), undefined);
  t.ok(await other.take('b', 1000), 'another name is another lease');
  await lease?.release();
  const next = await other.take('a', 1000);
  t.ok(next && lease && next.token > lease.token, 'a later owner has a greater token');
});

t.test('a lease ends by itself, unless it is renewed', async (t) => {
  const { clock, one, other } = makeHost();
  const lease = await one.take('a', 1000);
  clock.advanceMs(999);
  t.equal(await other.take('a', 1000), undefined);
  await lease?.renew(1000);
  clock.advanceMs(999);
  t.equal(await other.take('a', 1000), undefined);
  clock.advanceMs(1);
  t.ok(await other.take('a', 1000));
});

t.test("who was late neither gives back nor renews what is another's by now", async (t) => {
  const { clock, one, other } = makeHost();
  const late = await one.take('a', 1000);
  clock.advanceMs(1000);
  t.ok(await other.take('a', 1000));
  await late?.release();
  t.equal(await one.take('a', 1000), undefined, 'not given back');
  await late?.renew(5000);
  clock.advanceMs(1000);
  t.ok(await one.take('a', 1000), 'not renewed');
});

t.test('with a worker that has ended its leases end', async (t) => {
  const { one, other } = makeHost();
  await one.take('a', 60_000);
  await other.take('b', 60_000);
  one.end();
  t.ok(await other.take('a', 1000));
  t.equal(await one.take('b', 1000), undefined, 'those of others do not');
});

t.test('leases that nobody gave back are forgotten at last, those in force are not', async (t) => {
  const { clock, one, other } = makeHost();
  for (let count = 0; count < 5_000; count += 1) {
    await one.take(`lost ${count}`, 10);
    clock.advanceMs(1);
  }
  await one.take('kept', 60_000);
  for (let count = 0; count < 2_048; count += 1) await one.take(`more ${count}`, 10);
  t.equal(await other.take('kept', 1000), undefined);
  t.ok(await other.take('lost 1', 1000));
});

t.test('a primary that does not answer is a state that nobody knows', async (t) => {
  const leases = askForLeases(async () => undefined);
  await t.rejects(leases.take('a', 1000), StorageError);
});
