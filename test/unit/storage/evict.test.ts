import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { BlobStore } from '../../../src/storage/blob-store.ts';
import { type EvictorDependencies, makeEvictor } from '../../../src/storage/evict.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { usualMarks } from '../../../src/storage/quota.ts';
import { begun, makeContent, readBack, store as put } from '../../contract/blob-store.ts';
import { type FakeClock, makeFakeClock } from '../../support/fake-clock.ts';
import { holds } from '../../support/holds.ts';
import { makeMemoryBlobStore } from '../../support/memory-blob-store.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const hourMs = 3_600_000;

function makeKit(overrides: Partial<EvictorDependencies> & { readonly maxBytes?: number } = {}) {
  const clock = makeFakeClock();
  const { maxBytes, ...others } = overrides;
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const store = makeMemoryBlobStore({ clock });
  const dependencies = {
    store,
    quota: { ...usualMarks, maxBytes },
    groupOf: async () => [],
    clock,
    metrics,
    log,
    maxWaitMs: 10_000,
    ...others,
  };
  return { clock, store, metrics, log, evictor: makeEvictor(dependencies) };
}

/** Contents of 100 bytes each, stored an hour apart. */
async function fill(store: BlobStore, clock: FakeClock, count: number) {
  const contents = Array.from({ length: count }, (_, index) => makeContent(100, index + 1));
  for (const content of contents) {
    await put(store, content);
    clock.advanceMs(hourMs);
  }
  return contents;
}

async function held(store: BlobStore): Promise<readonly string[]> {
  const digests: string[] = [];
  for await (const { digest } of store.list()) digests.push(digest);
  return digests;
}

t.test('below the high mark nothing leaves', async (t) => {
  const { store, clock, evictor } = makeKit({ maxBytes: 1000 });
  await fill(store, clock, 9);
  t.strictSame(await evictor.run(), { files: 0, bytes: 0 });
  t.equal((await held(store)).length, 9);
});

t.test('past the high mark the oldest leave, down to the low mark, and are counted', async (t) => {
  const { store, clock, metrics, log, evictor } = makeKit({ maxBytes: 1000 });
  const contents = await fill(store, clock, 10);
  // The first is asked for again, so the second is the oldest.
  await readBack(store, contents[0]!.name);
  t.strictSame(await evictor.run(), { files: 2, bytes: 200 });
  const left = await held(store);
  t.notOk(left.includes(contents[1]!.name.digest));
  t.notOk(left.includes(contents[2]!.name.digest));
  t.equal(left.length, 8);
  t.equal(metrics.counted('assay_evicted_files_total', { reason: 'quota' }), 2);
  t.equal(metrics.counted('assay_evicted_bytes_total', { reason: 'quota' }), 200);
  t.match(log.lines, [{ level: 'info', message: 'content was evicted' }]);
});

t.test('what is read and what is partial stays, however old; that is told', async (t) => {
  const { store, clock, log, evictor } = makeKit({ maxBytes: 250 });
  const [first, second] = await fill(store, clock, 2);
  const reading = await store.open(first!.name);
  const unfinished = makeContent(100, 50);
  const staging = await begun(store, unfinished.name);
  await staging.append([unfinished.bytes]);
  clock.advanceMs(100 * hourMs);
  t.strictSame(await evictor.run(), { files: 1, bytes: 100 });
  t.strictSame(await held(store), [first!.name.digest]);
  t.notOk(await store.open(second!.name));
  t.ok(staging.matches());
  await staging.commit();
  t.equal((await held(store)).length, 2);
  t.strictSame(await evictor.run(), { files: 0, bytes: 0 });
  await store.remove(unfinished.name.digest);
  for (const content of [5, 6].map((seed) => makeContent(100, seed))) {
    await put(store, content);
    await store.open(content.name);
  }
  await evictor.run();
  t.match(log.lines.at(-1), { level: 'warn', message: 'there is too little that can be evicted' });
  await reading?.close();
});

t.test('few free bytes or files of the disk make content leave too', async (t) => {
  for (const [free, reason, files] of [
    [{ bytes: 10, files: 1e6 }, 'disk', 1],
    [{ bytes: 1e9, files: 0 }, 'inodes', 1],
    [{ bytes: 1e9, files: 1e6 }, 'quota', 0],
  ] as const) {
    const { store, clock, metrics, evictor } = makeKit();
    await fill(store, clock, 9);
    store.disk.free = free;
    t.equal((await evictor.run()).files, files);
    t.equal(metrics.counted('assay_evicted_files_total', { reason }), files, reason);
  }
});

t.test('one pass at a time: who asks meanwhile gets its outcome', async (t) => {
  const { store, clock, evictor } = makeKit({ maxBytes: 1000 });
  await fill(store, clock, 10);
  const outcomes = await Promise.all([evictor.run(), evictor.run()]);
  t.equal(outcomes[0], outcomes[1]);
  t.equal((await held(store)).length, 8);
});

t.test('what another process removed is seen before anything goes', async (t) => {
  const counts: (string | undefined)[] = [];
  const clock = makeFakeClock();
  const inner = makeMemoryBlobStore({ clock });
  const before = { files: 99, bytes: 9900 };
  const store = {
    ...inner,
    usage: async (count?: 'anew') => {
      counts.push(count);
      return count === 'anew' ? inner.usage() : { ...(await inner.usage()), blobs: before };
    },
  };
  const { evictor } = makeKit({ store, maxBytes: 1000, clock });
  await fill(inner, clock, 3);
  t.strictSame(await evictor.run(), { files: 0, bytes: 0 });
  t.ok(counts.includes('anew'));
});

t.test('a closed evictor ends its pass', async (t) => {
  const { store, clock, evictor } = makeKit({ maxBytes: 1000 });
  await fill(store, clock, 10);
  const running = evictor.run();
  await evictor.close();
  await t.rejects(running, { name: 'AbortError' });
});

t.test('content finds room, is refused when it is larger than all of it', async (t) => {
  const { store, clock, evictor } = makeKit({ maxBytes: 1000 });
  await fill(store, clock, 5);
  t.ok(await evictor.reserve(100));
  t.equal(await evictor.reserve(1001), undefined);
  t.equal((await held(store)).length, 5);
});

t.test('content without room gets that of the oldest', async (t) => {
  const { store, clock, evictor } = makeKit({ maxBytes: 1000 });
  await fill(store, clock, 9);
  t.ok(await evictor.reserve(500));
  t.equal((await held(store)).length, 3, 'with the promised 500 it is below the low mark');
});

t.test('without anything to evict content is refused, and its promise ended', async (t) => {
  const { store, clock, evictor } = makeKit({ maxBytes: 1000 });
  const contents = await fill(store, clock, 9);
  const opened = await Promise.all(contents.map(({ name }) => store.open(name)));
  t.equal(await evictor.reserve(200), undefined);
  t.ok(await evictor.reserve(100));
  for (const blob of opened) await blob?.close();
});

t.test(
  'content that comes in the middle of a pass gets the room that it needs itself',
  async (t) => {
    const clock = makeFakeClock();
    const inner = makeMemoryBlobStore({ clock });
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: listing, resolve: began } = Promise.withResolvers<void>();
    async function* list() {
      began();
      await gate;
      yield* inner.list();
    }
    const { evictor } = makeKit({ store: { ...inner, list }, clock, maxBytes: 1000 });
    await fill(inner, clock, 10);
    const running = evictor.run();
    await listing;
    const reserving = evictor.reserve(600);
    open();
    t.equal((await running).files, 2, 'the pass knew of nothing else');
    t.ok(await reserving);
  },
);

t.test('content for which the disk has no room gets that of the oldest', async (t) => {
  const { store, clock, evictor } = makeKit();
  await fill(store, clock, 9);
  store.disk.free = { bytes: 100, files: 1e6 };
  t.ok(await evictor.reserve(500));
  // A tenth of the thousand bytes is to be left: 500 must go.
  t.equal((await held(store)).length, 4);
});

t.test('after a pass that found too little the next content asks for none so soon', async (t) => {
  const clock = makeFakeClock();
  const inner = makeMemoryBlobStore({ clock });
  let passes = 0;
  const list = () => {
    passes += 1;
    return inner.list();
  };
  const { log, evictor } = makeKit({ store: { ...inner, list }, clock });
  const [content] = await fill(inner, clock, 1);
  const reading = await inner.open(content!.name);
  inner.disk.free = { bytes: 1, files: 1e6 };
  t.ok(await evictor.reserve(1));
  t.ok(await evictor.reserve(1));
  t.equal(passes, 1);
  clock.advanceMs(10_000);
  t.ok(await evictor.reserve(1));
  t.equal(passes, 2);
  t.equal(log.lines.length, 1, 'and it is told once');
  await reading?.close();
});

t.test('promises count together, until they are released', async (t) => {
  const { evictor } = makeKit({ maxBytes: 1000 });
  const first = await evictor.reserve(600);
  t.equal(await evictor.reserve(600), undefined);
  first?.release();
  t.ok(await evictor.reserve(600));
});

t.test('a store that can not say what it takes promises nothing', async (t) => {
  const clock = makeFakeClock();
  let isBroken = true;
  const inner = makeMemoryBlobStore({ clock });
  const usage = () => (isBroken ? Promise.reject(new Error('broken')) : inner.usage());
  const { evictor } = makeKit({ store: { ...inner, usage }, clock, maxBytes: 1000 });
  await t.rejects(evictor.reserve(900), { message: 'broken' });
  isBroken = false;
  t.ok(await evictor.reserve(900), 'the failed promise is no longer counted');
});

interface Drawn {
  readonly size: number;
  readonly hours: number;
  readonly use: 'stored' | 'open' | 'partial';
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  size: fc.integer({ min: 1, max: 400 }),
  hours: fc.integer({ min: 0, max: 5 }),
  use: fc.constantFrom('stored', 'stored', 'stored', 'open', 'partial'),
});

async function arrange(store: BlobStore, clock: FakeClock, contents: readonly Drawn[]) {
  const kept: string[] = [];
  for (const [index, { size, hours, use }] of contents.entries()) {
    clock.advanceMs(hours * hourMs);
    const content = makeContent(size, index + 1);
    if ((await store.stat(content.name.digest)) !== undefined) continue;
    if (use === 'partial') {
      const staging = await store.begin(content.name);
      if (typeof staging !== 'string') await staging.append([content.bytes]);
      continue;
    }
    await put(store, content);
    if (use === 'open') await store.open(content.name);
    if (use === 'open') kept.push(content.name.digest);
  }
  return kept;
}

t.test('whatever is stored, under whatever quota', async (t) => {
  await holds(
    t,
    'it ends below the high mark or with nothing evictable; what is open and partial stays',
    fc.asyncProperty(
      fc.array(drawn, { maxLength: 15 }),
      fc.integer({ min: 100, max: 3000 }),
      fc.integer({ min: 1, max: 20 }),
      async (contents, maxBytes, maxCandidates) => {
        const { store, clock, evictor } = makeKit({ maxBytes, maxCandidates });
        const open = await arrange(store, clock, contents);
        const before = await store.usage();
        const evicted = await evictor.run();
        const after = await store.usage();
        const left = await held(store);
        for (const digest of open) assert.ok(left.includes(digest));
        assert.deepEqual(after.partial, before.partial);
        const usedBefore = before.blobs.bytes + before.partial.bytes;
        const used = after.blobs.bytes + after.partial.bytes;
        assert.equal(usedBefore - used, evicted.bytes);
        if (usedBefore <= maxBytes * 0.95) assert.equal(evicted.files, 0);
        else assert.ok(used <= maxBytes * 0.85 || left.length === open.length);
      },
    ),
  );
});

async function openFolder(t: Test, clock: FakeClock) {
  const store = await openFsBlobStore({ path: t.testdir() }, { clock });
  t.teardown(() => store.close());
  return store;
}

t.test('the same on disk: the oldest leave, and their readers get all of them', async (t) => {
  const clock = makeFakeClock(systemClock.now().toISOString());
  const store = await openFolder(t, clock);
  const contents = Array.from({ length: 4 }, (_, index) => makeContent(100_000, index + 1));
  for (const content of contents) await put(store, content);
  // Asked for hours later, in this order: their files say so.
  for (const index of [2, 0, 3]) {
    clock.advanceMs(2 * hourMs);
    await readBack(store, contents[index]!.name);
  }
  const reading = await store.open(contents[2]!.name);
  // The marks of the disk are for the machine's own, which may be full.
  const quota = { ...usualMarks, maxBytes: 300_000, minFree: 0 };
  const { evictor } = makeKit({ store, clock, quota });
  t.strictSame(await evictor.run(), { files: 2, bytes: 200_000 });
  const left = await held(store);
  t.strictSame(
    left.toSorted(),
    [2, 3].map((index) => contents[index]!.name.digest).toSorted(),
    'one is open, one was asked for last',
  );
  await reading?.close();
});
