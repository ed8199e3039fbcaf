import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type AppKit, signatureOf, startAppKit } from '../support/app-kit.ts';
import { openBlobClient } from '../support/blob-client.ts';
import {
  type Artifact,
  type BuiltBlob,
  buildImage,
  buildManifest,
} from '../support/build-image.ts';
import { checkStore } from '../support/check-store.ts';
import { eventually, expectWhole, mebibyte, metricOf } from '../support/content-kit.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

/** Images of three layers of a MiB each; nine tenths of the storage are for blobs. */
const maxBytes = 12 * mebibyte;
const highMark = 0.95 * 0.9 * maxBytes;

interface Kit extends AppKit {
  readonly images: readonly Artifact[];
  readonly dataFolder: string;
  pull(image: Artifact): Promise<void>;
  /** What was pulled is stored, and no pass of eviction is under way. */
  settled(): Promise<void>;
  /** GETs of the blob that upstream saw. */
  fetches(blob: BuiltBlob): number;
  /** How many of an image's blobs are stored. */
  stored(image: Artifact): Promise<number>;
}

async function openKit(
  t: Test,
  count: number,
  layersOf = ownLayers,
  bound = maxBytes,
): Promise<Kit> {
  const images = Array.from({ length: count }, (_, index) => layersOf(index));
  const registry = await openScriptedRegistry(t);
  for (const [index, image] of images.entries()) {
    registry.put('app', image, `v${index}`);
    registry.put('app', signatureOf(image.descriptor));
  }
  const config = { storage: { path: './data', maxBytes: `${bound} B` } };
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin }, config });
  const dataFolder = join(t.testdirName, 'data');
  return {
    ...kit,
    images,
    dataFolder,
    async pull(image) {
      const { digest } = image.descriptor;
      t.equal((await kit.ask(`reg/app/manifests/${digest}`)).status, 200);
      for (const { descriptor, bytes } of image.blobs) {
        const reply = await kit.ask(`reg/app/blobs/${descriptor.digest}`);
        t.ok(reply.status === 200 && reply.body.equals(bytes), 'a blob is pulled, whole');
      }
    },
    async settled() {
      let before = -1;
      await eventually(async () => {
        const text = await kit.metrics();
        const evicted = metricOf(text, 'assay_evicted_files_total');
        const isStill = evicted === before && metricOf(text, 'assay_fills_running') === 0;
        before = evicted;
        return isStill;
      });
    },
    fetches: ({ descriptor }) =>
      registry.seen(`/v2/app/blobs/${descriptor.digest}`).filter(({ method }) => method === 'GET')
        .length,
    async stored(image) {
      const { stored } = await checkStore(dataFolder);
      const names = new Set(stored);
      return image.blobs.filter(({ descriptor }) => names.has(descriptor.digest)).length;
    },
  };
}

/** Too large to be kept beside the manifests. */
const size = mebibyte + 1;

function ownLayers(index: number): Artifact {
  return buildImage({ name: `image ${index}`, layerSizes: [size, size, size] });
}

async function bytesIn(t: Test, kit: Kit): Promise<number> {
  const { complaints, stored } = await checkStore(kit.dataFolder);
  t.strictSame(complaints, []);
  const sizes = kit.images
    .flatMap(({ blobs }) => blobs)
    .map(({ descriptor }) => [descriptor.digest as string, descriptor.size] as const);
  const sizeOf = new Map(sizes);
  return stored.reduce((sum, digest) => sum + (sizeOf.get(digest) ?? 0), 0);
}

t.test('old images make room for new ones, each leaves whole, and comes again', async (t) => {
  const kit = await openKit(t, 6);
  for (const image of kit.images) {
    await kit.pull(image);
    await kit.settled();
    t.ok((await bytesIn(t, kit)) <= highMark, 'the store stays below its high mark');
  }
  const counts = await Promise.all(kit.images.map((image) => kit.stored(image)));
  t.ok(counts.includes(0), 'some have left');
  t.equal(counts.at(-1), 4);
  const whole = kit.images[0]!.blobs.length;
  t.strictSame(
    counts.filter((count) => count !== 0 && count !== whole),
    [],
    'none has left in part',
  );
  const text = await kit.metrics();
  const left = counts.filter((count) => count === 0).length;
  t.equal(metricOf(text, 'assay_evicted_files_total'), left * whole);
  t.match(text, /assay_evicted_bytes_total\{reason="quota"\}/);

  const [first] = kit.images;
  const layer = first!.blobs[1]!;
  t.equal(kit.fetches(layer), 1);
  await kit.pull(first!);
  await kit.settled();
  t.equal(kit.fetches(layer), 2, 'it is a miss like any other');
  // A config is small enough to be kept beside the manifests too, and needs no fetch.
  t.ok((await kit.stored(first!)) >= whole - 1);
});

t.test('what images share stays for as long as one of them', async (t) => {
  const base = buildImage({ name: 'base', layerSizes: [mebibyte] }).blobs[1]!;
  const kit = await openKit(t, 6, (index) => {
    const [config, layer] = buildImage({
      name: `image ${index}`,
      layerSizes: [2 * mebibyte],
    }).blobs;
    return buildManifest({ config: config!, layers: [base, layer!] });
  });
  for (const image of kit.images) {
    await kit.pull(image);
    await kit.settled();
  }
  t.equal(await kit.stored(kit.images[0]!), 1, 'of the oldest only what it shares is left');
  t.equal(await kit.stored(kit.images.at(-1)!), 3);
  t.equal(kit.fetches(base), 1);
});

t.test('readers in the middle of old content get all of it while others are stored', async (t) => {
  // Too much for the buffers between the store and a reader that stalls.
  const sizes = (index: number): readonly number[] => (index === 0 ? [6] : [1, 1, 1]);
  const layersOf = (index: number): Artifact =>
    buildImage({
      name: `image ${index}`,
      layerSizes: sizes(index).map((size) => size * mebibyte),
    });
  const kit = await openKit(t, 7, layersOf, 2 * maxBytes);
  const [oldest] = kit.images;
  await kit.pull(oldest!);
  await kit.settled();
  const layer = oldest!.blobs[1]!;
  const path = `/v2/reg/app/blobs/${layer.descriptor.digest}`;
  const readers = Array.from({ length: 100 }, () =>
    openBlobClient(t, kit.oci, path, { expected: layer.bytes, stallAfter: 64 * 1024 }),
  );
  await Promise.all(readers.map((reader) => reader.reaches(64 * 1024)));
  for (const image of kit.images.slice(1)) {
    await kit.pull(image);
    await kit.settled();
  }
  t.equal(await kit.stored(oldest!), 2, 'what is read stays, with its image');
  t.equal(await kit.stored(kit.images[1]!), 0, 'the next one left in its place');
  for (const reader of readers) reader.resume();
  for (const reader of readers) await expectWhole(t, reader, 'a reader');
  t.equal(kit.fetches(layer), 1);
});
