import t from 'tap';
import { makeClockFence } from '../../../src/gate/clock-fence.ts';
import { describeFleet, makeFleetWatch } from '../../../src/gate/fleet-watch.ts';
import { makeHeartbeats } from '../../../src/gate/heartbeat.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { sealOfTests } from '../../support/deny-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { heartbeatOf } from '../../support/heartbeats.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const lifeMs = 15_000;
const boundMs = 60_000;

interface KitOptions {
  readonly store?: ReturnType<typeof makeMemoryKeyValue>;
  readonly offMs?: number;
}

/** A replica whose clock is off by so much from that of the test. */
function makeKit(id: string, { store = makeMemoryKeyValue(), offMs = 0 }: KitOptions = {}) {
  const time = makeFakeClock();
  const clock = { ...time, now: () => new Date(time.now().getTime() + offMs) };
  const fence = makeClockFence(clock, boundMs);
  const log = makeKeptLog();
  const metrics = makeCountingMetrics();
  const { id: _id, beat: _beat, clockMs: _clockMs, ...said } = heartbeatOf(id);
  const kit = { said, sharedTime: async (): Promise<Date | undefined> => time.now() };
  const watch = makeFleetWatch({
    heartbeats: makeHeartbeats(store, sealOfTests, lifeMs),
    sharedTime: () => kit.sharedTime(),
    fence,
    standing: () => kit.said,
    id,
    lifeMs,
    toldMs: 5_000,
    clock,
    metrics,
    log,
  });
  return Object.assign(kit, { watch, fence, log, metrics, time, store });
}

const messages = ({ log }: { log: ReturnType<typeof makeKeptLog> }): readonly string[] =>
  log.lines.map(({ message }) => message);

t.test('replicas see each other once they have said that they are there', async (t) => {
  const one = makeKit('one');
  const other = makeKit('other', one);
  await one.watch.look();
  await other.watch.look();
  t.equal(other.watch.view().others, 0, 'who only looks is not there');
  await one.watch.beat();
  await other.watch.beat();
  t.equal(other.watch.view().others, 1);
  t.equal(other.metrics.counted('assay_replicas_seen'), 3, '1 alone, and then 2');
  await one.watch.leave();
  await other.watch.look();
  t.equal(other.watch.view().others, 0);
});

t.test(
  'each difference is counted, and told once when it comes and once when it ends',
  async (t) => {
    const one = makeKit('one');
    const other = makeKit('other', one);
    await one.watch.beat();
    for (const [what, change] of [
      ['policy', { policy: 'policy-2' }],
      ['trust', { trust: 'trust-2' }],
      ['version', { version: '2.0.0' }],
      ['schema', { schema: 2 }],
    ] as const) {
      const { said } = other;
      other.said = { ...said, ...change };
      for (let beats = 0; beats < 3; beats += 1) await other.watch.beat();
      const { different } = other.watch.view();
      t.same({ ...different, [what]: 0 }, { policy: 0, trust: 0, version: 0, schema: 0 });
      t.equal(different[what], 1, what);
      t.ok(other.metrics.counted('assay_replicas_different', { what }) > 0);
      t.match(describeFleet(other.watch.view()), new RegExp(`1 have another ${what}`));
      other.said = said;
      for (let beats = 0; beats < 3; beats += 1) await other.watch.beat();
      const told = messages(other).filter((message) => message.endsWith(` ${what}`));
      t.same(told, [`other replicas have another ${what}`]);
      const ended = messages(other).filter((message) => message.endsWith(`${what} again`));
      t.same(ended, [`all replicas have the same ${what} again`]);
    }
  },
);

t.test('a clock that is off is told, beyond the bound it is fenced', async (t) => {
  const near = makeKit('near', { offMs: 10_000 });
  for (let beats = 0; beats < 3; beats += 1) await near.watch.beat();
  t.equal(near.watch.view().offMs, 10_000);
  t.equal(near.fence.because(), undefined);
  t.same(messages(near), ['the clocks of this replica and others differ']);
  t.match(describeFleet(near.watch.view()), /clocks differ by 10 s/);
  const far = makeKit('far', { offMs: -600_000 });
  for (let beats = 0; beats < 3; beats += 1) await far.watch.beat();
  t.match(far.fence.because(), /600 s off/);
  t.same(messages(far).slice(1), [
    'nothing is written to the shared state, since the clock is wrong',
  ]);
  const skew = { against: 'redis' };
  t.equal(far.metrics.counted('assay_replica_clock_skew_seconds', skew), 3 * 600);
  t.equal(far.metrics.counted('assay_replica_fenced', { because: 'clock' }), 3);
});

t.test('one whose clock is wrong is fenced, and its neighbours are not', async (t) => {
  const good = makeKit('good');
  const wrong = makeKit('wrong', { store: good.store, offMs: 600_000 });
  const third = makeKit('third', { store: good.store });
  for (let beats = 0; beats < 2; beats += 1) {
    for (const { watch } of [good, wrong, third]) await watch.beat();
  }
  t.equal(good.fence.because(), undefined);
  t.equal(third.fence.because(), undefined);
  t.match(wrong.fence.because(), /off/);
  t.equal(wrong.fence.isOutvoted(), true);
  t.equal(good.watch.view().offMs, 600_000, 'they see it, since it says so itself');
});

t.test('a clock of Redis that is wrong fences nobody where replicas agree', async (t) => {
  const one = makeKit('one');
  const other = makeKit('other', one);
  for (const kit of [one, other]) kit.sharedTime = async () => new Date('2031-01-01');
  for (let beats = 0; beats < 2; beats += 1) {
    await one.watch.beat();
    await other.watch.beat();
  }
  t.equal(one.fence.because(), undefined);
  t.equal(other.fence.because(), undefined);
});

t.test('without the clock of Redis those of other replicas are compared', async (t) => {
  const one = makeKit('one');
  const other = makeKit('other', { store: one.store, offMs: 600_000 });
  for (const kit of [one, other]) {
    kit.sharedTime = () => Promise.reject(new Error('NOPERM'));
    await kit.watch.beat();
  }
  t.match(other.fence.because(), /off/);
  t.equal(other.fence.isOutvoted(), false, 'nobody knows whose is wrong');
});

t.test('while the state is away what was known stands, and nothing throws', async (t) => {
  const one = makeKit('one');
  const other = makeKit('other', one);
  await one.watch.beat();
  await other.watch.beat();
  one.store.entries = () => Promise.reject(new Error('away'));
  one.store.put = () => Promise.reject(new Error('away'));
  one.store.delete = () => Promise.reject(new Error('away'));
  await other.watch.beat();
  await other.watch.leave();
  t.equal(other.watch.view().others, 1);
  t.equal(other.fence.because(), undefined);
});

t.test('a heartbeat that does not open is counted, once while it is there', async (t) => {
  const one = makeKit('one');
  await one.store.put('replica/x', Buffer.from('forged'));
  for (let beats = 0; beats < 3; beats += 1) await one.watch.beat();
  t.equal(one.metrics.counted('assay_sealed_entries_rejected_total'), 1);
  t.equal(one.watch.view().others, 0);
});
