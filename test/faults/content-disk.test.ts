import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import type { BlobClient } from '../support/blob-client.ts';
import { type BuiltBlob, buildImage } from '../support/build-image.ts';
import { checkStore, storeRoot } from '../support/check-store.ts';
import {
  eventually,
  expectWhole,
  mebibyte,
  metricOf,
  withheldBytes,
} from '../support/content-kit.ts';
import {
  type DiskKit,
  diskLayerBytes,
  isStored,
  openBelow,
  openDiskKit,
  pauseHalfway,
  storeLayer,
  upstreamSecret,
} from '../support/disk-kit.ts';
import { injectFault, requireStrace } from '../support/inject-fault.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

/**
 * Disks that are full, broken, slow or read-only, for root: pulls go past them, hashed and
 * withheld as ever, and when the fault ends content is stored again without a restart.
 */

t.setTimeout(110_000);

/** Longer than a store that failed is left alone. */
const recoveryMs = 31_000;

/** Facts 5.2, O1, O2: nobody completes what is not admitted, or what is wrong. */
async function expectRefusals(t: Test, kit: DiskKit, blob: BuiltBlob): Promise<void> {
  t.equal((await kit.ask('reg/app/manifests/unsigned')).status, 403, 'what is unsigned is refused');
  const wrong = Buffer.from(blob.bytes);
  wrong[wrong.length - 1]! ^= 1;
  kit.registry.setFault(({ path, method }, answer) =>
    method === 'GET' && path.endsWith(blob.descriptor.digest)
      ? { ...answer, body: wrong }
      : undefined,
  );
  const { isComplete, status, bytes } = await kit.open({ blob }).ended;
  t.notOk(isComplete && status === 200, 'nobody completes wrong bytes');
  if (status === 200) t.ok(bytes <= diskLayerBytes - withheldBytes, 'and their tail is withheld');
  kit.registry.setFault(undefined);
}

/** O7: for whoever looks why nothing is stored. */
async function expectSaid(t: Test, kit: DiskKit, cause: RegExp): Promise<void> {
  const metrics = await kit.metrics();
  t.ok(metricOf(metrics, 'assay_store_errors_total') > 0, 'the errors are counted');
  t.equal(metricOf(metrics, 'assay_store_writable'), 0, 'a metric says that nothing is stored');
  const readiness = await fetch(`${kit.admin}/readyz`);
  t.equal(readiness.status, 200, 'it still serves');
  t.match(await readiness.text(), cause, 'readiness says what is wrong');
  t.match(JSON.stringify(kit.lines), cause, 'the log names the cause');
}

/** O4 to O6 and O8: it recovers by itself, and nothing stays behind. */
async function expectRecovery(t: Test, kit: DiskKit, blob: BuiltBlob): Promise<void> {
  kit.registry.setFault(undefined);
  kit.clock.advanceMs(recoveryMs);
  await expectWhole(t, kit.open({ blob }), 'after the fault a client');
  await eventually(() => isStored(kit, blob));
  const fetched = kit.fetches(blob).length;
  await expectWhole(t, kit.open({ blob }), 'and another one');
  t.equal(kit.fetches(blob).length, fetched, 'which comes from the store');
  t.equal(metricOf(await kit.metrics(), 'assay_store_writable'), 1);
  await eventually(async () => (await checkStore(kit.dataFolder)).staging.length === 0);
  await eventually(() => openBelow(storeRoot(kit.dataFolder)).length === 0);
  t.same((await checkStore(kit.dataFolder)).complaints, [], 'what is stored is right');
  t.notMatch(
    JSON.stringify(kit.lines) + (await kit.metrics()),
    upstreamSecret,
    'no secret was said',
  );
}

function expectAllWhole(t: Test, clients: readonly BlobClient[]): Promise<void[]> {
  return Promise.all(clients.map((client) => expectWhole(t, client, 'a client')));
}

t.test('a disk that runs full in the middle of a fill disturbs no client', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 128 });
  if (disk === undefined) return;
  const kit = await openDiskKit(t, disk.folder);
  const [kept, coming, other] = kit.layers as [BuiltBlob, BuiltBlob, BuiltBlob];
  await storeLayer(t, kit, kept);
  const until = pauseHalfway(kit, coming);
  const clients = Array.from({ length: 20 }, () => kit.open({ blob: coming }));
  await Promise.all(clients.map((client) => client.reaches(diskLayerBytes / 4)));
  disk.fill();
  until.release();
  await expectAllWhole(t, clients);
  t.equal(kit.fetches(coming).length, 1, 'from the one fetch');
  t.notOk(await isStored(kit, coming), 'it is not stored');
  await expectWhole(t, kit.open({ blob: kept }), 'of what is stored a client');
  t.equal(kit.fetches(kept).length, 1, 'from the store');
  await expectRefusals(t, kit, other);
  await expectWhole(t, kit.open({ blob: other }), 'past the full disk a client');
  await expectSaid(t, kit, /ENOSPC|no space/i);
  disk.free();
  await expectRecovery(t, kit, coming);
});

t.test('who takes nothing while the disk is full is cut off, and nobody else is', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 128 });
  if (disk === undefined) return;
  const kit = await openDiskKit(t, disk.folder);
  const large = buildImage({ name: t.fullname, layerSizes: [40 * mebibyte] });
  kit.registry.put('app', large, 'large');
  kit.registry.put('app', signatureOf(large.descriptor));
  t.equal((await kit.ask('reg/app/manifests/large')).status, 200);
  const blob = large.blobs[1]!;
  const until = pauseHalfway(kit, blob);
  const stalled = kit.open({ blob, stallAfter: 1 });
  const clients = Array.from({ length: 3 }, () => kit.open({ blob }));
  await Promise.all([stalled, ...clients].map((client) => client.reaches(1)));
  await Promise.all(clients.map((client) => client.reaches(diskLayerBytes / 4)));
  disk.fill();
  until.release();
  await expectAllWhole(t, clients);
  stalled.resume();
  const { isComplete, isRightSoFar } = await stalled.ended;
  t.same([isComplete, isRightSoFar], [false, true], 'it has a part, and knows so');
  t.equal(kit.fetches(blob).length, 1, 'from the one fetch');
  await expectWhole(t, kit.open({ blob }), 'past the full disk a client');
});

t.test('a layer that does not fit on the disk is passed through', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 36 });
  if (disk === undefined) return;
  const kit = await openDiskKit(t, disk.folder);
  const large = buildImage({ name: t.fullname, layerSizes: [40 * mebibyte] });
  kit.registry.put('app', large, 'large');
  kit.registry.put('app', signatureOf(large.descriptor));
  t.equal((await kit.ask('reg/app/manifests/large')).status, 200);
  const blob = large.blobs[1]!;
  await expectAllWhole(
    t,
    [1, 2, 3].map(() => kit.open({ blob })),
  );
  t.notOk(await isStored(kit, blob), 'it is not stored');
  await storeLayer(t, kit, kit.layers[0]!);
  t.pass('one that fits is stored meanwhile');
});

t.test('a disk that is read-only serves what it has, and lets the rest through', async (t) => {
  const apart = ['state', 'content'];
  const disk = mountSmallDisk(t, { mebibytes: 128, apart });
  if (disk === undefined) return;
  const kit = await openDiskKit(t, disk.folder);
  const [kept, coming, other] = kit.layers as [BuiltBlob, BuiltBlob, BuiltBlob];
  await storeLayer(t, kit, kept);
  await eventually(() => openBelow(storeRoot(disk.folder)).length === 0);
  disk.makeReadOnly();
  await expectWhole(t, kit.open({ blob: kept }), 'of what is stored a client');
  t.equal(kit.fetches(kept).length, 1, 'from the store');
  await expectAllWhole(
    t,
    [1, 2, 3].map(() => kit.open({ blob: coming })),
  );
  await expectRefusals(t, kit, other);
  await expectSaid(t, kit, /EROFS|read-only/i);
  disk.makeWritable();
  await expectRecovery(t, kit, coming);
});

t.test('a disk that fails to write in the middle of a fill disturbs no client', async (t) => {
  if (!(await requireStrace(t))) return;
  const kit = await openDiskKit(t, join(t.testdir(), 'data'));
  const [kept, coming, other] = kit.layers as [BuiltBlob, BuiltBlob, BuiltBlob];
  await storeLayer(t, kit, kept);
  const until = pauseHalfway(kit, coming);
  const clients = Array.from({ length: 20 }, () => kit.open({ blob: coming }));
  await Promise.all(clients.map((client) => client.reaches(diskLayerBytes / 4)));
  const [part] = openBelow(storeRoot(kit.dataFolder)).filter((path) => path.endsWith('.part'));
  const inject = 'write,writev,pwrite64,pwritev,pwritev2:error=EIO';
  const fault = await injectFault(t, { inject, path: part ?? 'none' });
  until.release();
  await expectAllWhole(t, clients);
  t.ok(fault.hits > 0, 'writes did fail');
  await fault.end();
  t.equal(kit.fetches(coming).length, 1, 'from the one fetch');
  t.notOk(await isStored(kit, coming), 'it is not stored');
  await expectWhole(t, kit.open({ blob: kept }), 'of what is stored a client');
  await expectRefusals(t, kit, other);
  await expectSaid(t, kit, /EIO/);
  await expectRecovery(t, kit, coming);
});

t.test('content that can not be made durable is not stored', async (t) => {
  if (!(await requireStrace(t))) return;
  const kit = await openDiskKit(t, join(t.testdir(), 'data'));
  const [coming, other] = kit.layers as [BuiltBlob, BuiltBlob];
  const until = pauseHalfway(kit, coming);
  const client = kit.open({ blob: coming });
  await client.reaches(diskLayerBytes / 4);
  const [part] = openBelow(storeRoot(kit.dataFolder)).filter((path) => path.endsWith('.part'));
  const inject = 'fsync,fdatasync:error=EIO';
  const fault = await injectFault(t, { inject, path: part ?? 'none' });
  until.release();
  await expectWhole(t, client, 'a client');
  await eventually(() => fault.hits > 0);
  await fault.end();
  await eventually(async () => metricOf(await kit.metrics(), 'assay_fills_running') === 0);
  t.notOk(await isStored(kit, coming), 'it is not stored');
  await expectRefusals(t, kit, other);
  await expectSaid(t, kit, /EIO/);
  await expectRecovery(t, kit, coming);
});

t.test('while a disk is slow to make content durable, nobody waits for it', async (t) => {
  if (!(await requireStrace(t))) return;
  const kit = await openDiskKit(t, join(t.testdir(), 'data'), 8);
  const [kept, ...coming] = kit.layers as [BuiltBlob, ...BuiltBlob[]];
  await storeLayer(t, kit, kept);
  const inject = 'fsync,fdatasync:delay_enter=8s';
  const fault = await injectFault(t, { inject });
  await expectAllWhole(
    t,
    coming.map((blob) => kit.open({ blob })),
  );
  for (let at = 0; at < 5; at += 1) {
    await expectWhole(t, kit.open({ blob: kept }), 'of what is stored a client');
  }
  const { stored } = await checkStore(kit.dataFolder);
  t.notOk(
    coming.some(({ descriptor }) => stored.includes(descriptor.digest)),
    'all that came before the first of them was durable',
  );
  await expectAllWhole(
    t,
    coming.map((blob) => kit.open({ blob })),
  );
  t.equal(
    coming.reduce((sum, blob) => sum + kit.fetches(blob).length, 0),
    coming.length,
    'each was fetched once',
  );
  await fault.end();
  for (const blob of coming) await eventually(() => isStored(kit, blob));
  await expectRecovery(t, kit, coming[0]!);
});

t.test('stored content that can not be read is fetched again', async (t) => {
  if (!(await requireStrace(t))) return;
  const kit = await openDiskKit(t, join(t.testdir(), 'data'));
  const [kept] = kit.layers as [BuiltBlob];
  await storeLayer(t, kit, kept);
  const { digest } = kept.descriptor;
  const path = join(storeRoot(kit.dataFolder), 'blobs', ...digest.split(':'));
  const inject = 'read,readv,pread64,preadv,preadv2,sendfile:error=EIO';
  const fault = await injectFault(t, { inject, path });
  const { isComplete, isRightSoFar, status } = await kit.open({ blob: kept }).ended;
  t.ok(fault.hits > 0, 'reads did fail');
  t.ok(status !== 200 || isRightSoFar, 'no wrong byte comes');
  t.equal(isComplete, false, 'it breaks off');
  await fault.end();
  const counted = async () => metricOf(await kit.metrics(), 'assay_quarantined_files_total');
  await eventually(async () => (await counted()) === 1);
  await expectWhole(t, kit.open({ blob: kept }), 'the next client');
  t.equal(kit.fetches(kept).length, 2, 'from upstream');
  await expectRecovery(t, kit, kept);
});
