import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { BlobStore } from '../../../src/storage/blob-store.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { scrub, type ScrubDependencies, type ScrubProgress } from '../../../src/storage/scrub.ts';
import { makeContent, readBack, store as put } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeMemoryBlobStore } from '../../support/memory-blob-store.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const never = new AbortController().signal;
const contents = [1, 2, 3, 4, 5].map((seed) => makeContent(70_000 + seed, seed));
const total = contents.reduce((sum, { name }) => sum + name.size, 0);
const inOrder = contents.map(({ name }) => name.digest).toSorted();

async function makeKit(overrides: Partial<ScrubDependencies> = {}) {
  const clock = makeFakeClock();
  const store = makeMemoryBlobStore({ clock });
  for (const content of contents) await put(store, content);
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  const dependencies = { store, pace: async () => undefined, metrics, log, ...overrides };
  return { clock, store, metrics, log, dependencies };
}

t.test('what is as it was stored is found so, and every byte of it was read', async (t) => {
  const { dependencies, metrics, log } = await makeKit();
  const report = await scrub(dependencies, {}, never);
  t.match(report, { files: 5, bytes: total, bad: 0, unread: 0, isComplete: true });
  t.equal(metrics.counted('assay_scrubbed_bytes_total'), total);
  t.equal(metrics.counted('assay_quarantined_files_total'), 0);
  t.strictSame(log.lines, []);
});

t.test('one flipped bit is found, put aside, counted and told; the rest stays', async (t) => {
  const { dependencies, store, metrics, log } = await makeKit();
  const { digest } = contents[2]!.name;
  const file = store.disk.files.get(digest)!;
  file.bytes = Buffer.from(file.bytes);
  file.bytes[69_999]! ^= 1;
  const report = await scrub(dependencies, {}, never);
  t.match(report, { files: 5, bad: 1, badDigests: [digest], isComplete: true });
  t.ok(store.disk.quarantine.has(digest));
  t.equal(store.disk.files.size, 4);
  t.equal(metrics.counted('assay_quarantined_files_total'), 1);
  t.match(log.lines, [{ level: 'error', fields: { digest } }]);
  t.match(await scrub(dependencies, {}, never), { files: 4, bad: 0 });
});

t.test('a file that was cut is found by its hash', async (t) => {
  const { dependencies, store } = await makeKit();
  const file = store.disk.files.get(contents[0]!.name.digest)!;
  file.bytes = file.bytes.subarray(0, 10);
  t.match(await scrub(dependencies, {}, never), { files: 5, bad: 1 });
});

t.test('a scrub is no use: the time of the last one stays', async (t) => {
  const { dependencies, store, clock } = await makeKit();
  clock.advanceMs(100 * 3_600_000);
  await scrub(dependencies, {}, never);
  const info = await store.stat(contents[0]!.name.digest);
  t.equal(info?.lastAccess.toISOString(), '2030-01-01T00:00:00.000Z');
  t.equal(info?.isOpen, false);
});

t.test('it goes in the order of digests, and on from where another one came to', async (t) => {
  const { dependencies } = await makeKit();
  const positions: unknown[] = [];
  const onProgress = ({ position }: ScrubProgress): void => {
    if (positions.at(-1) !== position) positions.push(position);
  };
  await scrub(dependencies, { onProgress }, never);
  t.strictSame(
    positions.filter((position) => position !== undefined),
    inOrder,
  );
  const rest = await scrub(dependencies, { after: inOrder[2] }, never);
  t.match(rest, { files: 2, position: inOrder[4] });
  t.match(await scrub(dependencies, { after: inOrder[4] }, never), { files: 0, isComplete: true });
});

t.test('it ends at once with its signal, and says where to go on', async (t) => {
  const { dependencies, store } = await makeKit();
  const stopped = new AbortController();
  const onProgress = ({ files }: ScrubProgress): void => {
    if (files === 2) stopped.abort();
  };
  const report = await scrub(dependencies, { onProgress }, stopped.signal);
  t.match(report, { files: 2, position: inOrder[1], isComplete: false });
  t.equal((await store.stat(inOrder[2]!))?.isOpen, false);
});

t.test('it keeps to the pace that it is given', async (t) => {
  const paced: number[] = [];
  const pace = async (bytes: number): Promise<void> => void paced.push(bytes);
  const { dependencies } = await makeKit({ pace });
  await scrub(dependencies, {}, never);
  t.equal(
    paced.reduce((sum, bytes) => sum + bytes, 0),
    total,
  );
  t.ok(paced.length > contents.length, 'more often than once a file');
});

/** A store whose first file in order fails to be read like this. */
function failing(store: BlobStore, code: string): BlobStore {
  return {
    ...store,
    async open(content, as) {
      const blob = await store.open(content, as);
      if (content.digest !== inOrder[0] || blob === undefined) return blob;
      const error = Object.assign(new Error('read failed'), { code });
      const read = () =>
        new Readable({
          read() {
            void blob.close();
            this.destroy(error);
          },
        });
      return { ...blob, read };
    },
  };
}

t.test('a file that the disk lost is bad', async (t) => {
  const { dependencies, store } = await makeKit();
  const broken = { ...dependencies, store: failing(store, 'EIO') };
  t.match(await scrub(broken, {}, never), { files: 5, bad: 1, unread: 0 });
  t.ok(store.disk.quarantine.has(inOrder[0]!));
});

t.test('of a file that could not be read for another reason nothing is known', async (t) => {
  const { dependencies, store, log } = await makeKit();
  const broken = { ...dependencies, store: failing(store, 'ENOMEM') };
  t.match(await scrub(broken, {}, never), { files: 4, bad: 0, unread: 1, isComplete: true });
  t.ok(store.disk.files.has(inOrder[0]!));
  t.match(log.lines, [{ level: 'warn', fields: { digest: inOrder[0] } }]);
});

t.test('a bad file on a disk that takes no writes is told, and the scrub goes on', async (t) => {
  const { dependencies, store, metrics } = await makeKit();
  store.disk.files.get(inOrder[0]!)!.bytes = Buffer.from('other');
  const remove = () => Promise.reject(new Error('read-only'));
  const report = await scrub({ ...dependencies, store: { ...store, remove } }, {}, never);
  t.match(report, { files: 5, bad: 1 });
  t.equal(metrics.counted('assay_quarantined_files_total'), 0);
});

t.test('what left meanwhile is nothing', async (t) => {
  const { dependencies, store } = await makeKit();
  const open = async () => undefined;
  const report = await scrub({ ...dependencies, store: { ...store, open } }, {}, never);
  t.match(report, { files: 0, bad: 0, unread: 0, isComplete: true });
});

t.test('a store that can not be listed is an error', async (t) => {
  const { dependencies, store } = await makeKit();
  const list = () => {
    throw new Error('no list');
  };
  await t.rejects(scrub({ ...dependencies, store: { ...store, list } }, {}, never), {
    message: 'no list',
  });
});

t.test('the same on disk', async (t) => {
  const path = t.testdir();
  const store = await openFsBlobStore({ path }, { clock: systemClock });
  t.teardown(() => store.close());
  for (const content of contents) await put(store, content);
  const fileOf = (digest: string): string => join(path, 'blobs', ...digest.split(':'));
  await truncate(fileOf(inOrder[0]!), 69_000);
  const other = Buffer.from((await readBack(store, contents[1]!.name))!);
  other[0]! ^= 0x80;
  await writeFile(fileOf(contents[1]!.name.digest), other);
  const bad = new Set([inOrder[0], contents[1]!.name.digest]);
  const { dependencies } = await makeKit();
  const report = await scrub({ ...dependencies, store }, {}, never);
  t.match(report, { files: 5, bad: bad.size, isComplete: true });
  t.equal((await readdir(join(path, 'quarantine'))).length, bad.size);
  for (const digest of bad) t.equal(await store.stat(digest as never), undefined);
});
