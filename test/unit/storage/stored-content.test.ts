import { mkdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { makeMetrics } from '../../../src/observe/metrics.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { begun, makeContent, readBack, store as put } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';
import { valueOf } from '../../support/fill-kit.ts';

const content = makeContent(300_000);
const { name, bytes } = content;

async function open(t: Test) {
  const path = t.testdir();
  const clock = makeFakeClock();
  const metrics = makeMetrics();
  const files = makeFaultyFiles();
  const store = await openFsBlobStore({ path }, { clock, metrics, files });
  await put(store, content);
  const file = join(path, 'blobs', 'sha256', name.digest.slice(7));
  return { path, clock, metrics, files, store, file };
}

t.test('content lies where an OCI image layout has it, for us alone', async (t) => {
  const { path, file } = await open(t);
  t.equal(statSync(file).size, 300_000);
  t.equal(statSync(file).mode & 0o077, 0);
  for (const folder of ['blobs/sha256', 'blobs/sha512', 'staging', 'trash', 'quarantine']) {
    t.equal(statSync(join(path, folder)).mode & 0o777, 0o700, folder);
  }
});

t.test(
  'a file that is shorter, longer or away is nothing, and the first two are counted',
  async (t) => {
    const { store, file, metrics } = await open(t);
    truncateSync(file, 299_999);
    t.equal(await store.open(name), undefined);
    writeFileSync(file, Buffer.alloc(300_001));
    t.equal(await store.open(name), undefined);
    rmSync(file);
    t.equal(await store.open(name), undefined);
    t.equal(await valueOf(metrics, 'assay_store_errors_total{operation="size"}'), 2);
  },
);

t.test('a folder or a link in its place is no content', async (t) => {
  const { store, file, path } = await open(t);
  rmSync(file);
  mkdirSync(file);
  t.equal(await store.open({ ...name, size: statSync(file).size }), undefined);
  t.equal(await store.stat(name.digest), undefined);
  rmSync(file, { recursive: true });
  writeFileSync(join(path, 'elsewhere'), bytes);
  symlinkSync(join(path, 'elsewhere'), file);
  await t.rejects(store.open(name), { code: 'STORAGE_FAILED' });
});

t.test('a file of another size is filled again, over it', async (t) => {
  const { store, file } = await open(t);
  truncateSync(file, 5);
  await put(store, content);
  t.ok((await readBack(store, name))?.equals(bytes));
});

t.test('what is opened is read as it was measured, though it is replaced or removed', async (t) => {
  const { store, file } = await open(t);
  const blob = await store.open(name);
  rmSync(file);
  writeFileSync(file, Buffer.alloc(300_000));
  t.ok((await buffer(blob!.read(0, 300_000))).equals(bytes));
});

t.test('a file that is cut short under its reader ends the stream badly', async (t) => {
  const { store, file } = await open(t);
  const blob = await store.open(name);
  truncateSync(file, 10);
  await t.rejects(buffer(blob!.read(0, 300_000)), { message: 'a stored file ended at 10' });
});

t.test(
  'a disk that can not be read is an error, and one in the middle ends the stream',
  async (t) => {
    const { store, files, metrics } = await open(t);
    const blob = await store.open(name);
    files.fail('read', /blobs/, 'EIO');
    await t.rejects(buffer(blob!.read(0, 300_000)), /EIO/);
    await store.close();
    t.equal(await store.stat(name.digest), undefined, 'it was put aside');
    files.heal();
    await put(store, content);
    files.fail('open', /blobs/, 'ENOMEM');
    await t.rejects(store.open(name), { code: 'STORAGE_FAILED' });
    t.equal(await valueOf(metrics, 'assay_store_errors_total{operation="read"}'), 2);
    t.equal(store.health().state, 'writable', 'which says nothing about writing');
  },
);

t.test('when it was asked for is noted, an hour coarse, and not by inspections', async (t) => {
  const { store, clock } = await open(t);
  const used = async () => (await store.stat(name.digest))?.lastAccess.getTime();
  const ask = async (as?: 'inspection') => {
    const blob = await store.open(name, as);
    // Opened, and closed without reading: closing waits for the note.
    await blob?.close();
  };
  await ask('inspection');
  t.not(await used(), clock.now().getTime());
  await ask();
  const first = clock.now().getTime();
  t.equal(await used(), first);
  clock.advanceMs(59 * 60_000);
  await ask();
  t.equal(await used(), first);
  clock.advanceMs(60_000);
  await ask();
  t.equal(await used(), first + 3_600_000);
});

t.test('bytes read from it are counted as saved', async (t) => {
  const { store, metrics } = await open(t);
  await buffer((await store.open(name))!.read(100, 300));
  await buffer((await store.open(name, 'inspection'))!.read(0, 300));
  t.equal(await valueOf(metrics, 'assay_bytes_saved_total{tier="stored"}'), 200);
});

t.test('a store that can not be made says so', async (t) => {
  const path = t.testdir({ blobs: 'a file' });
  const opening = openFsBlobStore({ path }, { clock: makeFakeClock() });
  await t.rejects(opening, { code: 'STORAGE_FAILED', message: /^the folders in / });
});

t.test('what is removed from a folder that takes no change is an error', async (t) => {
  const { store, files } = await open(t);
  files.fail('rename', /trash/, 'EROFS');
  await t.rejects(store.remove(name.digest), { code: 'STORAGE_FAILED' });
  t.match(store.health(), { state: 'read-only' });
  t.ok(await readBack(store, name), 'it is still there');
});

t.test('no room is no failure of the disk', async (t) => {
  const path = t.testdir();
  const files = makeFaultyFiles();
  const free = { bsize: 1, bavail: 1000, blocks: 10_000, ffree: 1000, files: 1000 };
  const store = await openFsBlobStore(
    { path },
    { clock: makeFakeClock(), files: { ...files, statfs: (async () => free) as never } },
  );
  await t.rejects(store.begin({ ...name, size: 501 }), /there is no room/);
  t.equal(store.health().state, 'writable');
  const staging = await begun(store, { ...name, size: 500 });
  await staging.discard();
  await staging.release();
});

t.test('a read-only disk takes content again after a while', async (t) => {
  const { store, files, clock } = await open(t);
  const other = makeContent(100, 2);
  files.fail('open', /\.part$/, 'EROFS');
  const failing = await begun(store, other.name);
  await t.rejects(failing.append([other.bytes]), { code: 'STORAGE_FAILED' });
  await failing.discard();
  await failing.release();
  files.heal();
  await t.rejects(store.begin(other.name), /nothing is stored for a while: EROFS/);
  clock.advanceMs(30_000);
  await put(store, other);
  t.ok((await readBack(store, other.name))?.equals(other.bytes));
});
