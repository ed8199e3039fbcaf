import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { makeMetrics } from '../../../src/observe/metrics.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { makeContent, readBack, store as put } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeFaultyFiles } from '../../support/faulty-files.ts';
import { valueOf } from '../../support/fill-kit.ts';
import { makeKeptLog } from '../../support/silence.ts';

const content = makeContent(300_000);
const { name, bytes } = content;

async function open(t: Test, verifyOnRead: 'always' | 'never' = 'never') {
  const path = t.testdir();
  const metrics = makeMetrics();
  const log = makeKeptLog();
  const files = makeFaultyFiles();
  const clock = makeFakeClock();
  const store = await openFsBlobStore({ path, verifyOnRead }, { clock, metrics, log, files });
  await put(store, content);
  const file = join(path, 'blobs', 'sha256', name.digest.slice(7));
  const quarantined = () => readdirSync(join(path, 'quarantine'));
  const damage = (): void => {
    const other = Buffer.from(bytes);
    other[150_000]! ^= 1;
    writeFileSync(file, other);
  };
  const read = async (start = 0, end = name.size) =>
    buffer((await store.open(name))!.read(start, end));
  /** What is under way in the background has ended then. */
  const settled = () => store.close();
  return { store, files, file, metrics, log, clock, quarantined, damage, read, settled, path };
}

const counter = 'assay_quarantined_files_total';

t.test('a file that the disk can not read is put aside, and stored anew', async (t) => {
  const { store, files, read, settled, quarantined, metrics, log } = await open(t);
  files.fail('read', /blobs/, 'EIO');
  await t.rejects(read(), { code: 'EIO' });
  await settled();
  files.heal();
  t.strictSame(quarantined(), [name.digest.replace(':', '-')]);
  t.equal(await store.open(name), undefined);
  t.equal(await valueOf(metrics, counter), 1);
  t.match(log.lines, [
    { level: 'error', fields: { digest: name.digest, because: 'can not be read' } },
  ]);
  await put(store, content);
  t.ok((await read()).equals(bytes));
  t.equal((await store.usage('anew')).blobs.files, 1);
});

t.test('one that can not even be opened is as good as nothing, and put aside', async (t) => {
  const { store, files, settled, quarantined } = await open(t);
  files.fail('open', /blobs/, 'EIO');
  t.equal(await store.open(name), undefined);
  await settled();
  t.equal(quarantined().length, 1);
});

t.test('any other failure says nothing about the file', async (t) => {
  const { store, files, read, quarantined } = await open(t);
  files.fail('read', /blobs/, 'ENOMEM');
  await t.rejects(read(), { code: 'ENOMEM' });
  await store.close();
  t.strictSame(quarantined(), []);
  t.ok(await store.stat(name.digest));
});

t.test('unless it is to be verified, a damaged file is found by the scrub alone', async (t) => {
  const { read, damage, quarantined } = await open(t);
  damage();
  t.equal((await read()).equals(bytes), false);
  t.strictSame(quarantined(), []);
});

t.test('what is verified and wrong is put aside, whichever part was asked for', async (t) => {
  for (const [start, end] of [
    [0, 300_000],
    [299_000, 300_000],
    [0, 10],
  ] as const) {
    const { store, read, damage, settled, quarantined, metrics } = await open(t, 'always');
    damage();
    await t.rejects(read(start, end), { code: 'CONTENT_MISMATCH' });
    await settled();
    t.equal(quarantined().length, 1);
    t.equal(await valueOf(metrics, counter), 1);
    await store.close();
  }
});

t.test('what is verified and right is read as ever', async (t) => {
  const { read, quarantined } = await open(t, 'always');
  t.ok((await read()).equals(bytes));
  t.ok((await read(5, 299_000)).equals(bytes.subarray(5, 299_000)));
  t.strictSame(quarantined(), []);
});

t.test('what was put in its place meanwhile stays', async (t) => {
  const { store, read, damage, file, quarantined, path } = await open(t, 'always');
  damage();
  const blob = await store.open(name);
  writeFileSync(join(path, 'good'), bytes);
  renameSync(join(path, 'good'), file);
  await t.rejects(buffer(blob!.read(0, name.size)), { code: 'CONTENT_MISMATCH' });
  await store.close();
  t.strictSame(quarantined(), []);
  t.ok((await read()).equals(bytes));
});

t.test('on a disk that takes no writes it counts as nothing where it is', async (t) => {
  const { store, files, read, file, quarantined, metrics, log } = await open(t);
  files.fail('rename', /quarantine/, 'EROFS');
  files.fail('read', /blobs/, 'EIO');
  await t.rejects(read(), { code: 'EIO' });
  await store.close();
  t.match(log.lines.at(-1), {
    level: 'error',
    message: 'a bad stored file could not be put aside',
  });
  t.equal(await store.open(name), undefined);
  t.ok(statSync(file));
  t.strictSame(quarantined(), []);
  t.equal(await valueOf(metrics, counter), 0);
  files.heal();
  const other = join(file, '..', 'other');
  writeFileSync(other, bytes);
  renameSync(other, file);
  t.ok((await readBack(store, name))?.equals(bytes), 'another file in its place is read');
});

t.test(
  'once the disk takes writes again it is put aside, and seen by a scrub before',
  async (t) => {
    const { store, files, read, quarantined, metrics, log, clock, settled } = await open(t);
    files.fail('rename', /quarantine/, 'EROFS');
    files.fail('read', /blobs/, 'EIO');
    await t.rejects(read(), { code: 'EIO' });
    await settled();
    t.equal(store.health().state, 'read-only');
    for (let times = 0; times < 3; times += 1) t.equal(await store.open(name), undefined);
    await settled();
    const errors = log.lines.filter(({ level }) => level === 'error');
    t.equal(errors.length, 2, 'it is not tried, nor spoken of, at each request');
    files.heal();
    const inspected = await store.open(name, 'inspection');
    t.ok(inspected, 'a scrub looks at it all the same');
    await inspected?.close();
    clock.advanceMs(30_000);
    t.equal(await store.open(name), undefined);
    await settled();
    t.equal(quarantined().length, 1);
    t.equal(await valueOf(metrics, counter), 1);
    await put(store, content);
    t.ok((await read()).equals(bytes));
  },
);

t.test('what is gone before it could be put aside is forgotten', async (t) => {
  const { store, read, damage, file, settled, log } = await open(t, 'always');
  damage();
  const blob = await store.open(name);
  rmSync(file);
  await t.rejects(buffer(blob!.read(0, name.size)), { code: 'CONTENT_MISMATCH' });
  await settled();
  t.equal(log.lines.length, 1);
  await put(store, content);
  t.ok((await read()).equals(bytes));
});
