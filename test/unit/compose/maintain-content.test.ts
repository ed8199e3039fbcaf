import t from 'tap';
import {
  maintainContent,
  type MaintenanceDependencies,
} from '../../../src/compose/maintain-content.ts';
import type { Wait } from '../../../src/storage/pace.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { makeContent, store as put } from '../../contract/blob-store.ts';
import { eventually } from '../../support/content-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeMemoryBlobStore } from '../../support/memory-blob-store.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

function makeKit(overrides: Partial<MaintenanceDependencies> = {}) {
  const clock = makeFakeClock();
  const store = makeMemoryBlobStore({ clock });
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const stopped = new AbortController();
  let passes = 0;
  const evictor = {
    run: async () => {
      passes += 1;
      return { files: 0, bytes: 0 };
    },
  };
  const values = makeMemoryKeyValue();
  const observed = { clock, metrics, log };
  const quarantine = { maxBytes: 1000, maxAgeMs: 1000 };
  const settings = { scrubRate: 1024, quarantine, ...overrides };
  const dependencies = { ...observed, store, evictor, values, ...settings };
  const start = () => maintainContent(dependencies, stopped.signal);
  return { store, metrics, log, start, stop: () => stopped.abort(), passes: () => passes };
}

t.test(
  'figures are set and eviction is looked after at once; it ends with its signal',
  async (t) => {
    const { store, metrics, start, stop, passes } = makeKit();
    await put(store, makeContent(1000));
    store.disk.free = { bytes: 5000, files: 70 };
    const maintaining = start();
    await eventually(() => passes() === 1);
    stop();
    await maintaining;
    t.equal(metrics.counted('assay_store_writable'), 1);
    t.equal(metrics.counted('assay_store_bytes', { kind: 'blobs' }), 1000);
    t.equal(metrics.counted('assay_store_files', { kind: 'blobs' }), 1);
    t.equal(metrics.counted('assay_store_free_bytes'), 5000);
    t.equal(metrics.counted('assay_store_free_files'), 70);
    t.equal(passes(), 1);
  },
);

t.test('a store that takes no writes is shown so', async (t) => {
  const { store, metrics, start, stop, passes } = makeKit();
  store.setHealth({ state: 'read-only', because: 'full' });
  const maintaining = start();
  await eventually(() => passes() === 1);
  stop();
  await maintaining;
  t.equal(metrics.counted('assay_store_writable'), 0);
});

t.test('whatever fails is told, and ends nothing', async (t) => {
  const broken = () => Promise.reject(new Error('broken'));
  const { store } = makeKit();
  const { log, start, stop } = makeKit({
    store: { ...store, usage: broken, sweep: broken },
    evictor: { run: broken },
  });
  const maintaining = start();
  await eventually(() => log.lines.length === 2);
  stop();
  await maintaining;
  t.match(log.lines.map(({ level, message }) => `${level} ${message}`).toSorted(), [
    'warn content could not be evicted',
    'warn what was left unfinished can not be removed',
  ]);
});

/** Timers that are over at once, a hundred times. */
function makeQuickWait(stop: () => void): Wait {
  let waits = 0;
  return async (_ms, signal) => {
    waits += 1;
    if (waits >= 100) stop();
    signal.throwIfAborted();
  };
}

t.test('stored content is scrubbed at the rate that is given, and not without one', async (t) => {
  for (const [scrubRate, bytes] of [
    [1024, 1000],
    [undefined, 0],
  ] as const) {
    const wait: Wait = (ms, signal) => quick(ms, signal);
    const { store, metrics, start, stop } = makeKit({ scrubRate, wait });
    const quick = makeQuickWait(stop);
    await put(store, makeContent(1000));
    await start();
    t.ok(metrics.counted('assay_scrubbed_bytes_total') >= bytes);
    t.equal(metrics.counted('assay_scrubbed_bytes_total') > 0, bytes > 0);
  }
});

t.test('what is in quarantine is kept within its bounds, and that is told', async (t) => {
  const { store, log, metrics, start, stop, passes } = makeKit();
  const { digest } = makeContent(1).name;
  store.disk.quarantine.set(digest, Buffer.alloc(1001));
  const maintaining = start();
  await eventually(() => passes() === 1);
  stop();
  await maintaining;
  t.equal(store.disk.quarantine.size, 0);
  t.match(log.lines, [{ level: 'info', fields: { files: 1, bytes: 1001 } }]);
  t.equal(metrics.counted('assay_store_bytes', { kind: 'quarantined' }), 0);
});
