import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type DropOutcome, makeDropWatch } from '../../../src/compose/drop-watch.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const published: DropOutcome = { outcome: 'published', isPassing: false, sequence: 1 };
const missing: DropOutcome = { outcome: 'failed', isPassing: true, because: 'VOLUME_MISSING' };
const broken: DropOutcome = { outcome: 'failed', isPassing: false, because: 'METADATA_SIGNATURE' };

function open(t: Test, ...outcomes: readonly DropOutcome[]) {
  const folder = t.testdir({});
  const clock = makeFakeClock();
  const metrics = makeCountingMetrics();
  const taken: string[] = [];
  const left = [...outcomes];
  const watch = makeDropWatch([folder], {
    clock,
    metrics,
    log: makeKeptLog(),
    async importBundle(path) {
      taken.push(path);
      return left.shift() ?? published;
    },
  });
  const put = (name: string, text: string, file = join('metadata', 'timestamp.json')): string => {
    const path = join(folder, name);
    mkdirSync(join(path, 'metadata'), { recursive: true });
    writeFileSync(join(path, file), text);
    return path;
  };
  return { folder, clock, metrics, taken, watch, put };
}

const timestamp = (version: number): string => JSON.stringify({ signed: { version } });

t.test(
  'a bundle is taken when it is finished and has not changed since the last look',
  async (t) => {
    const { watch, put, taken } = open(t);
    put('1', 'half', 'volume');
    await watch.look();
    await watch.look();
    t.strictSame(taken, [], 'it is not finished');
    const path = put('1', timestamp(1));
    await watch.look();
    put('1', 'a longer volume', 'volume');
    await watch.look();
    t.strictSame(taken, [], 'it still comes');
    await watch.look();
    t.strictSame(taken, [path]);
    await watch.look();
    t.equal(taken.length, 1, 'once');
  },
);

t.test('the drop folder itself may be a bundle', async (t) => {
  const { watch, put, taken, folder } = open(t);
  put('.', timestamp(1));
  await watch.look();
  await watch.look();
  t.strictSame(taken, [folder]);
});

t.test('several are taken in the order of their numbers', async (t) => {
  const { watch, put, taken } = open(t);
  const [b, a, odd] = [put('a', timestamp(10)), put('b', timestamp(9)), put('0', 'no JSON')];
  await watch.look();
  await watch.look();
  t.strictSame(taken, [a, b, odd]);
});

t.test('what is not to be believed is tried again only when it changes', async (t) => {
  const { watch, put, taken, clock, metrics } = open(t, broken);
  put('1', timestamp(1));
  await watch.look();
  await watch.look();
  clock.advanceMs(100 * 3_600_000);
  await watch.look();
  t.equal(taken.length, 1);
  put('1', `${timestamp(1)} `);
  await watch.look();
  await watch.look();
  t.equal(taken.length, 2);
  t.equal(metrics.counted('assay_airgap_drops_total', { outcome: 'failed' }), 1);
  t.equal(metrics.counted('assay_airgap_drops_total', { outcome: 'published' }), 1);
});

t.test('what lacks something is tried again, less and less often', async (t) => {
  const { watch, put, taken, clock } = open(t, missing, missing, missing);
  put('1', timestamp(1));
  await watch.look();
  await watch.look();
  t.equal(taken.length, 1);
  for (const [index, pauseMs] of [60_000, 120_000, 240_000].entries()) {
    clock.advanceMs(pauseMs - 1);
    await watch.look();
    t.equal(taken.length, index + 1, 'not yet');
    clock.advanceMs(1);
    await watch.look();
    t.equal(taken.length, index + 2);
  }
});

t.test('a folder that is not there is no bundle, and may come', async (t) => {
  const taken: string[] = [];
  const folder = join(t.testdir({}), 'later');
  const watch = makeDropWatch([folder], {
    clock: makeFakeClock(),
    metrics: makeCountingMetrics(),
    log: makeKeptLog(),
    importBundle: async (path) => {
      taken.push(path);
      return published;
    },
  });
  await watch.look();
  mkdirSync(join(folder, '1', 'metadata'), { recursive: true });
  writeFileSync(join(folder, '1', 'metadata', 'timestamp.json'), timestamp(1));
  await watch.look();
  await watch.look();
  t.strictSame(taken, [join(folder, '1')]);
});
