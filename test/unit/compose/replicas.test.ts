import t, { type Test } from 'tap';
import { joinReplicas, type ReplicaOptions } from '../../../src/compose/replicas.ts';
import { makeClockFence } from '../../../src/gate/clock-fence.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { eventually } from '../../support/content-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const basis = {
  current: () => ({ policy: { digest: 'policy', revision: undefined, rules: [] } }),
} as unknown as ReplicaOptions['basis'];

/** Processes on one machine whose clock is ten minutes behind that of Redis. */
function makeKit(t: Test) {
  const unfenced = makeMemoryKeyValue();
  const clock = makeFakeClock('2030-01-01T00:00:00Z');
  const time = async () => new Date('2030-01-01T00:10:00Z');
  const join = async (id: string) => {
    const fence = makeClockFence(clock, 60_000);
    const opened = new AsyncDisposableStack();
    t.teardown(() => opened.disposeAsync());
    const replica = await joinReplicas(
      {
        replicas: { time, schema: 1 },
        standing: { fence, isMixed: false, unfenced },
        seal: makeSeal([Buffer.alloc(32, 1)]),
      },
      { basis, id, denyEpoch: () => 0, clock, metrics: makeCountingMetrics(), log: makeKeptLog() },
      opened,
    );
    return { fence, replica };
  };
  const announced = (): Promise<void> =>
    eventually(async () => (await unfenced.keys('replica/', 2)).length > 0);
  return { join, announced };
}

t.test('a worker takes no word of its own primary for that of another clock', async (t) => {
  const { join, announced } = makeKit(t);
  const primary = await join('host');
  primary.replica?.announce();
  await announced();
  const worker = await join('host');
  t.match(worker.fence.because(), /600 s off/, 'as the primary is');
  t.match(primary.fence.because(), /600 s off/);
  t.match((await worker.replica?.probe.check())?.says, /^no other is there/);
});

t.test('another replica that agrees with it is one, against Redis alone', async (t) => {
  const { join, announced } = makeKit(t);
  const one = await join('one');
  one.replica?.announce();
  await announced();
  const other = await join('other');
  t.equal(other.fence.because(), undefined);
  t.match((await other.replica?.probe.check())?.says, /^1 other is there/);
});
