import t from 'tap';
import { scrubInBackground } from '../../../src/storage/background-scrub.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { makeContent, store as put } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeMemoryBlobStore } from '../../support/memory-blob-store.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const weekMs = 7 * 86_400_000;
const contents = [1, 2, 3, 4].map((seed) => makeContent(1000, seed));

/** Runs until it has waited so often, or been paced so often. */
async function makeKit(given: { readonly values?: ReturnType<typeof makeMemoryKeyValue> } = {}) {
  const clock = makeFakeClock();
  const store = makeMemoryBlobStore({ clock });
  for (const content of contents) await put(store, content);
  const { values = makeMemoryKeyValue() } = given;
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const waits: number[] = [];
  const run = async (until: { readonly waits?: number; readonly files?: number }) => {
    const stopped = new AbortController();
    let files = 0;
    const wait = async (ms: number): Promise<void> => {
      waits.push(ms);
      clock.advanceMs(ms);
      if (waits.length === until.waits) stopped.abort();
      stopped.signal.throwIfAborted();
    };
    const pace = async (): Promise<void> => {
      clock.advanceMs(31_000);
      files += 1;
      if (files === until.files) stopped.abort();
      stopped.signal.throwIfAborted();
    };
    const dependencies = { store, values, clock, metrics, log, wait, pace, everyMs: weekMs };
    await scrubInBackground(dependencies, stopped.signal);
  };
  const scrubbed = (): number => metrics.counted('assay_scrubbed_bytes_total');
  return { store, clock, values, log, waits, run, scrubbed, metrics };
}

t.test('everything is scrubbed once a week, from one beginning to the next', async (t) => {
  const { run, waits, scrubbed, log } = await makeKit();
  await run({ waits: 2 });
  t.equal(scrubbed(), 8000);
  t.strictSame(waits, [weekMs - 4 * 31_000, weekMs - 4 * 31_000]);
  t.match(log.lines[0], { level: 'info', fields: { files: 4, bad: 0 } });
});

t.test('after a restart it goes on where it was, and starts nothing anew', async (t) => {
  const first = await makeKit();
  await first.run({ files: 3 });
  t.equal(first.scrubbed(), 3000);
  const second = await makeKit({ values: first.values });
  await second.run({ waits: 1 });
  t.equal(second.scrubbed(), 2000, 'the two that were not done with');
  t.equal(second.waits.length, 1);
});

t.test('a finished scrub is not repeated by a restart', async (t) => {
  const first = await makeKit();
  await first.run({ waits: 1 });
  const second = await makeKit({ values: first.values });
  await second.run({ waits: 1 });
  t.equal(second.scrubbed(), 0);
});

t.test('a clock that was set back puts the next scrub off by a week at most', async (t) => {
  const { values, run, waits } = await makeKit();
  const beganMs = Date.parse('2040-01-01T00:00:00Z');
  await values.put('scrub', Buffer.from(JSON.stringify({ beganMs, isDone: true })));
  await run({ waits: 1 });
  t.strictSame(waits, [weekMs]);
});

for (const text of ['no JSON', '[]', '{"beganMs":"1"}', '{"isDone":false}']) {
  t.test(`a note that can not be read (${text}) counts as none`, async (t) => {
    const { values, run, scrubbed } = await makeKit();
    await values.put('scrub', Buffer.from(text));
    await run({ waits: 1 });
    t.equal(scrubbed(), 4000);
  });
}

t.test('a position that is no digest is the beginning', async (t) => {
  const { values, clock, run, scrubbed } = await makeKit();
  const beganMs = clock.now().getTime();
  const noted = { beganMs, position: '../x', isDone: false };
  await values.put('scrub', Buffer.from(JSON.stringify(noted)));
  await run({ waits: 1 });
  t.equal(scrubbed(), 4000);
});

t.test('a store that fails is tried again later, and that is told', async (t) => {
  const { values, run, waits, log } = await makeKit();
  await values.close();
  await run({ waits: 2 });
  t.strictSame(waits, [600_000, 600_000]);
  t.match(log.lines[0], { level: 'warn' });
});

t.test('while another process scrubs it waits, and then takes its turn', async (t) => {
  const { store, run, waits, scrubbed } = await makeKit();
  const other = await store.beginScrub();
  await run({ waits: 1 });
  t.strictSame(waits, [600_000]);
  t.equal(scrubbed(), 0);
  await other?.release();
  await run({ waits: 2 });
  t.equal(scrubbed(), 4000);
  t.ok(await store.beginScrub(), 'the lease is given back after a round');
});

t.test('what another one has scrubbed meanwhile is not scrubbed again', async (t) => {
  const { store, values, clock, run, waits, scrubbed } = await makeKit();
  const beginScrub = store.beginScrub.bind(store);
  store.beginScrub = async () => {
    const lease = await beginScrub();
    const beganMs = clock.now().getTime();
    await values.put('scrub', Buffer.from(JSON.stringify({ beganMs, isDone: true })));
    return lease;
  };
  await run({ waits: 1 });
  t.equal(scrubbed(), 0);
  t.strictSame(waits, [weekMs]);
});

t.test('whoever lost the lease stops, and notes nothing more', async (t) => {
  const { store, values, run, scrubbed } = await makeKit();
  const beginScrub = store.beginScrub.bind(store);
  let taken = 0;
  store.beginScrub = async () => {
    if ((taken += 1) > 1) return undefined;
    const lease = await beginScrub();
    store.disk.scrub = { isHeld: true };
    return lease;
  };
  await run({ waits: 1 });
  t.ok(scrubbed() < 4000, `${scrubbed()} bytes were scrubbed`);
  t.equal(await values.get('scrub'), undefined);
  t.ok(store.disk.scrub.isHeld, 'the lease of the other one stays');
});
