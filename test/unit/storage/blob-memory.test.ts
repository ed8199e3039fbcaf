import { chmodSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { encodedOf } from '../../../src/oci/digest.ts';
import { withBlobMemory } from '../../../src/storage/blob-memory.ts';
import type { StoredBlob } from '../../../src/storage/blob-store.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { blobStoreContract, makeContent, readBack, store } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const small = makeContent(10_000);

async function open(t: Test, options = {}, clock = makeFakeClock()) {
  const path = t.testdir();
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const onDisk = await openFsBlobStore({ path }, { clock });
  t.teardown(() => onDisk.close());
  const blobs = withBlobMemory(onDisk, { clock, metrics, log }, options);
  const fileOf = ({ name }: typeof small): string =>
    join(path, 'blobs', 'sha256', encodedOf(name.digest));
  return { path, clock, metrics, log, onDisk, blobs, fileOf };
}

async function bytesOf(stored: StoredBlob | undefined, start = 0): Promise<Buffer | undefined> {
  return stored && buffer(stored.read(start, stored.size));
}

t.test('contract', async (t) => {
  blobStoreContract(t, async (t) => {
    // Leases are as old as their files say.
    const now = { ...makeFakeClock(), ...systemClock };
    const { path, blobs } = await open(t, {}, now);
    const other = async () => {
      const store = await openFsBlobStore({ path }, { clock: systemClock });
      t.teardown(() => store.close());
      return store;
    };
    return { store: blobs, other };
  });
});

t.test(
  'what was asked for once is at hand, all of it or a part, and counts as saved',
  async (t) => {
    const { blobs, metrics } = await open(t);
    await store(blobs, small);
    t.equal(blobs.atHand(small.name), undefined, 'nobody has asked yet');
    t.ok((await readBack(blobs, small.name))?.equals(small.bytes));
    const bytes = blobs.atHand(small.name);
    t.ok(small.bytes.equals(bytes!));
    t.equal(blobs.atHand(small.name), bytes, 'the same bytes each time');
    t.equal(blobs.atHand({ ...small.name, size: 9_999 }), undefined, 'of that size alone');
    t.equal(metrics.counted('assay_bytes_saved_total', { tier: 'stored' }), 20_000);
    const part = await bytesOf(await blobs.open(small.name), 9_990);
    t.ok(part?.equals(small.bytes.subarray(9_990)));
  },
);

t.test('what is removed is gone from memory at once, also while it is read', async (t) => {
  for (const into of ['trash', 'quarantine'] as const) {
    const { blobs } = await open(t);
    await store(blobs, small);
    await readBack(blobs, small.name);
    t.ok(blobs.atHand(small.name));
    await blobs.remove(small.name.digest, into);
    t.equal(blobs.atHand(small.name), undefined, into);
    t.equal(await blobs.open(small.name), undefined);
  }
  const { blobs } = await open(t);
  await store(blobs, small);
  const opening = blobs.open(small.name);
  await blobs.remove(small.name.digest);
  await opening;
  t.equal(blobs.atHand(small.name), undefined, 'what was read meanwhile is not kept');
});

t.test('what another process takes away is at hand for two seconds at most', async (t) => {
  const { blobs, clock, fileOf } = await open(t);
  await store(blobs, small);
  await readBack(blobs, small.name);
  unlinkSync(fileOf(small));
  clock.advanceMs(999);
  t.ok(blobs.atHand(small.name));
  clock.advanceMs(1);
  t.equal(blobs.atHand(small.name), undefined, 'one is sent to look');
  t.ok(blobs.atHand(small.name), 'the others do not wait');
  clock.advanceMs(1_000);
  t.equal(blobs.atHand(small.name), undefined, 'until it is too late to believe it');
  t.equal(await blobs.open(small.name), undefined);
  clock.advanceMs(-1_500);
  t.equal(blobs.atHand(small.name), undefined, 'once looked for, it is forgotten');
});

t.test('what is still there is at hand again, with the bytes that were verified', async (t) => {
  const { blobs, clock, fileOf } = await open(t);
  await store(blobs, small);
  await readBack(blobs, small.name);
  clock.advanceMs(60_000);
  t.equal(blobs.atHand(small.name), undefined);
  chmodSync(fileOf(small), 0o600);
  writeFileSync(fileOf(small), Buffer.alloc(10_000));
  t.ok((await bytesOf(await blobs.open(small.name)))?.equals(small.bytes));
  t.ok(small.bytes.equals(blobs.atHand(small.name)!));
});

t.test('a file with other bytes enters no memory, and is put aside', async (t) => {
  const { blobs, metrics, log, fileOf } = await open(t);
  await store(blobs, small);
  chmodSync(fileOf(small), 0o600);
  writeFileSync(fileOf(small), Buffer.alloc(10_000));
  t.equal(await blobs.open(small.name), undefined);
  t.equal(blobs.atHand(small.name), undefined);
  t.equal((await blobs.usage()).quarantined.files, 1);
  t.equal(metrics.counted('assay_quarantined_files_total'), 1);
  t.match(log.lines, [{ level: 'error', fields: { digest: small.name.digest } }]);
});

t.test('large blobs and inspections leave nothing in memory', async (t) => {
  const { blobs } = await open(t, { maxBlobBytes: 9_999 });
  await store(blobs, small);
  await readBack(blobs, small.name);
  t.equal(blobs.atHand(small.name), undefined);
  const other = await open(t);
  await store(other.blobs, small);
  const inspected = await other.blobs.open(small.name, 'inspection');
  t.ok((await bytesOf(inspected))?.equals(small.bytes));
  t.equal(other.blobs.atHand(small.name), undefined);
});

t.test('memory is bounded: what was not used for longest goes', async (t) => {
  const { blobs } = await open(t, { maxBytes: 45_000 });
  const all = [small, makeContent(10_000, 2), makeContent(10_000, 3)];
  for (const content of all) {
    await store(blobs, content);
    await readBack(blobs, content.name);
  }
  t.strictSame(
    all.map(({ name }) => blobs.atHand(name) !== undefined),
    [false, true, true],
  );
});
