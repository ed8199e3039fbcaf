import t, { type Test } from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import { type BuiltBlob, buildImage } from '../support/build-image.ts';
import { checkStore, storeRoot } from '../support/check-store.ts';
import { eventually, metricOf } from '../support/content-kit.ts';
import {
  type DiskKit,
  diskLayerBytes,
  isStored,
  openBelow,
  openDiskKit,
  storeLayer,
} from '../support/disk-kit.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

/** Small disks, for root, on which more is pulled than they hold. */

t.setTimeout(110_000);

/** Images of one layer each, admitted; content leaves the store image by image. */
async function admitImages(
  t: Test,
  kit: DiskKit,
  sizes: readonly number[],
): Promise<readonly BuiltBlob[]> {
  const layers: BuiltBlob[] = [];
  for (const [at, bytes] of sizes.entries()) {
    const image = buildImage({ name: `${t.fullname}/${at}`, layerSizes: [bytes] });
    kit.registry.put('app', image, `one-${at}`);
    kit.registry.put('app', signatureOf(image.descriptor));
    const { status } = await kit.ask(`reg/app/manifests/one-${at}`);
    if (status !== 200) t.fail(`image ${at} is refused with ${status}`);
    layers.push(image.blobs[1]!);
  }
  return layers;
}

/** One layer after the other, each an hour younger than the one before. */
async function pullAll(t: Test, kit: DiskKit, blobs: readonly BuiltBlob[]): Promise<void> {
  let whole = 0;
  for (const blob of blobs) {
    kit.clock.advanceMs(3_600_000);
    const { isComplete, isRightSoFar } = await kit.open({ blob }).ended;
    if (isComplete && isRightSoFar) whole += 1;
    await eventually(async () => metricOf(await kit.metrics(), 'assay_fills_running') === 0);
  }
  t.equal(whole, blobs.length, 'every client gets all of its layer');
}

t.test('eviction at the high mark takes nothing from a hundred readers', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 100 });
  if (disk === undefined) return;
  const kit = await openDiskKit(t, disk.folder, 1);
  const [read] = kit.layers as [BuiltBlob];
  await storeLayer(t, kit, read);
  const readers = Array.from({ length: 100 }, () => kit.open({ blob: read, stallAfter: 1 }));
  await Promise.all(readers.map((reader) => reader.reaches(1)));
  // More than twice what the disk can hold.
  const sizes = Array.from({ length: 25 }, (_, at) => diskLayerBytes + at);
  const others = await admitImages(t, kit, sizes);
  await pullAll(t, kit, others);
  const metrics = await kit.metrics();
  t.ok(metricOf(metrics, 'assay_evicted_files_total') > 10, 'much was evicted');
  t.equal(metricOf(metrics, 'assay_store_errors_total'), 0, 'no write failed for it');
  t.ok(await isStored(kit, others.at(-1)!), 'the last one is stored');
  t.ok(await isStored(kit, read), 'what is being read is not taken, old as it is');
  for (const reader of readers) reader.resume();
  const outcomes = await Promise.all(readers.map(({ ended }) => ended));
  const whole = outcomes.filter(({ isComplete, isRightSoFar }) => isComplete && isRightSoFar);
  t.equal(whole.length, 100, 'every reader gets all of it');
  t.equal(kit.fetches(read).length, 1, 'from the store');
  await eventually(async () => (await checkStore(kit.dataFolder)).trash.length === 0);
  await eventually(() => openBelow(storeRoot(kit.dataFolder)).length === 0);
  t.same((await checkStore(kit.dataFolder)).complaints, []);
});

t.test(
  'on a disk that others have nearly filled, new content takes the place of old',
  async (t) => {
    const disk = mountSmallDisk(t, { mebibytes: 300 });
    if (disk === undefined) return;
    disk.fill(200);
    const kit = await openDiskKit(t, disk.folder, 1);
    const sizes = Array.from({ length: 15 }, (_, at) => diskLayerBytes + at);
    const layers = await admitImages(t, kit, sizes);
    await pullAll(t, kit, layers);
    t.ok(await isStored(kit, layers.at(-1)!), 'the last one is stored');
    t.notOk(await isStored(kit, layers[0]!), 'the first one is not any more');
  },
);

t.test('a disk that has no more files to give is emptied like a full one', async (t) => {
  const disk = mountSmallDisk(t, { mebibytes: 200, maxFiles: 70 });
  if (disk === undefined) return;
  const kit = await openDiskKit(t, disk.folder, 1);
  const sizes = Array.from({ length: 90 }, (_, at) => 1_100_000 + at);
  const layers = await admitImages(t, kit, sizes);
  await pullAll(t, kit, layers);
  const metrics = await kit.metrics();
  t.ok(metricOf(metrics, 'assay_evicted_files_total') > 30, 'much was evicted');
  t.equal(metricOf(metrics, 'assay_store_errors_total'), 0, 'no write failed for it');
  t.ok(await isStored(kit, layers.at(-1)!), 'the last one is stored');
});
