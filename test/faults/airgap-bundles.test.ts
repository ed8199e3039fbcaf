import {
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Digest } from '../../src/oci/digest.ts';
import { signatureOf } from '../support/app-kit.ts';
import { type Artifact, buildImage, closureOf } from '../support/build-image.ts';
import { type FullBundle, type FullBundleWish, writeFullBundle } from '../support/bundle-kit.ts';
import { rootsOf } from '../support/metadata-kit.ts';
import { flip, makeZone, type ZoneKit, type ZoneOptions } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [90_000, 5_000] });
const old = buildImage({ name: 'old' });
const signature = signatureOf(app.descriptor);
const oldSignature = signatureOf(old.descriptor);
const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence: [signature] }];
const oldImages = [{ name: 'docker.io/library/app:1.0', artifact: old, evidence: [oldSignature] }];

function digestsOf(...artifacts: readonly Artifact[]): readonly Digest[] {
  return artifacts.flatMap((each) => {
    const { manifests, blobs } = closureOf(each);
    return [...manifests, ...blobs].map(({ descriptor }) => descriptor.digest);
  });
}

interface Case {
  readonly zone: ZoneKit;
  readonly bundle: FullBundle;
  volume(number: number): string;
  /** The one file of the folder whose name matches. */
  fileIn(folder: 'metadata' | 'targets' | 'targets/trust', name: RegExp): string;
}

/** A zone, and a bundle that is not imported yet. */
async function prepare(
  t: Test,
  wish: Partial<FullBundleWish> = {},
  options: ZoneOptions = {},
): Promise<Case> {
  const zone = makeZone(t, options);
  const folder = join(zone.folder, 'in');
  const bundle = await writeFullBundle({ folder, images, ...wish });
  return {
    zone,
    bundle,
    volume: (number) => join(folder, 'volumes', bundle.volumes[number - 1] ?? ''),
    fileIn(within, name) {
      const found = readdirSync(join(folder, within)).filter((each) => name.test(each));
      if (found.length !== 1) throw new Error(`${String(name)} is ${found.length} files`);
      return join(folder, within, found[0]!);
    },
  };
}

/** It is refused by that name, nothing is in force that was not before, and the next try is not spoilt. */
async function refuses(t: Test, zone: ZoneKit, bundle: FullBundle, code: string, message = /./) {
  const before = zone.published();
  await t.rejects(zone.import(bundle), { code, message });
  t.equal(zone.published(), before, 'nothing was published, and nothing is trusted that was not');
}

const tamperings: readonly {
  readonly what: string;
  readonly code: string;
  readonly message?: RegExp;
  readonly chunkBytes?: number;
  readonly tamper: (given: Case) => void | Promise<void>;
}[] = [
  ...(['timestamp', 'snapshot', 'targets'] as const).map((role) => ({
    what: `a byte of the ${role} metadata`,
    code: role === 'timestamp' ? 'METADATA_SIGNATURE' : 'METADATA_MISMATCH',
    tamper({ fileIn }: Case) {
      const file = fileIn('metadata', new RegExp(`${role}\\.json$`));
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace('"expires": "2030-06', '"expires": "2030-07'));
    },
  })),
  {
    what: 'a byte of the root',
    code: 'METADATA_SIGNATURE',
    tamper: async ({ zone }) =>
      writeFileSync(
        join(zone.folder, 'root.json'),
        (await rootsOf({ keys: { timestamp: ['x'], root: ['y'] } }))[0],
      ),
  },
  {
    what: 'a byte of bundle.json',
    code: 'TARGET_MISMATCH',
    message: /bundle\.json/,
    tamper: ({ fileIn }) => flip(fileIn('targets', /bundle\.json$/), 100),
  },
  {
    what: 'a byte of the table of extents',
    code: 'TARGET_MISMATCH',
    message: /blobs\.idx/,
    tamper: ({ fileIn }) => flip(fileIn('targets', /blobs\.idx$/), 80),
  },
  {
    what: 'a byte of the list of volumes',
    code: 'TARGET_MISMATCH',
    message: /volumes\.json/,
    tamper: ({ fileIn }) => flip(fileIn('targets', /volumes\.json$/), 60),
  },
  {
    what: 'a byte of a trust file',
    code: 'TARGET_MISMATCH',
    message: /policy\.yaml/,
    tamper: ({ fileIn }) => flip(fileIn('targets/trust', /policy\.yaml$/), 0),
  },
  {
    what: 'a target that is gone',
    code: 'TARGET_MISSING',
    tamper: ({ fileIn }) => rmSync(fileIn('targets', /blobs\.idx$/)),
  },
  {
    what: 'metadata without their timestamp',
    code: 'METADATA_MISSING',
    tamper: ({ fileIn }) => rmSync(fileIn('metadata', /^timestamp/)),
  },
  {
    what: 'a byte of a chunk',
    code: 'CHUNK_CORRUPT',
    message: /chunk 3 of \d+ of volume 2 is damaged/,
    tamper: ({ volume }) => flip(volume(2), 2 * 4096 + 17),
  },
  {
    what: 'a byte of a volume header that stays readable',
    code: 'VOLUME_FOREIGN',
    tamper({ volume }) {
      const bytes = readFileSync(volume(2));
      writeFileSync(
        volume(2),
        Buffer.concat([
          Buffer.from(
            bytes.subarray(0, 4096).toString('latin1').replace('volume 2', 'volume 3'),
            'latin1',
          ),
          bytes.subarray(4096),
        ]),
      );
    },
  },
  {
    what: 'a byte of a volume header that is none any more',
    code: 'CHUNK_CORRUPT',
    chunkBytes: 8192,
    message: /chunk 1 of \d+ of volume 2/,
    tamper: ({ volume }) => flip(volume(2), 0),
  },
  {
    what: 'a volume cut short',
    code: 'VOLUME_TRUNCATED',
    tamper: ({ volume }) => truncate(volume(1), 20_000),
  },
  {
    what: 'two volumes with each other’s names',
    code: 'VOLUME_FOREIGN',
    tamper({ volume }) {
      renameSync(volume(1), `${volume(1)}.x`);
      renameSync(volume(2), volume(1));
      renameSync(`${volume(1)}.x`, volume(2));
    },
  },
  {
    what: 'volumes that are missing, all of them named',
    code: 'VOLUME_MISSING',
    message: /-0001\.vol, \S+-0003\.vol; what was read stays/,
    tamper({ volume }) {
      rmSync(volume(1));
      rmSync(volume(3));
    },
  },
  {
    what: 'a folder in place of a volume',
    code: 'VOLUME_MISSING',
    async tamper({ volume }) {
      rmSync(volume(1));
      await mkdir(volume(1));
    },
  },
];

for (const { what, code, message, chunkBytes = 4096, tamper } of tamperings) {
  t.test(`refused by name, with nothing published: ${what}`, async (t) => {
    const trust = { 'policy.yaml': { kind: 'policy', bytes: Buffer.from('version: 1') } } as const;
    const given = await prepare(t, { trust, chunkBytes });
    t.ok(given.bundle.volumes.length >= 3);
    await tamper(given);
    await refuses(t, given.zone, given.bundle, code, message);
  });
}

t.test('a damaged volume is read from another copy of it', async (t) => {
  const { zone, bundle, volume } = await prepare(t);
  const copy = join(zone.folder, 'copy');
  cpSync(join(bundle.folder, 'volumes'), copy, { recursive: true });
  flip(volume(2), 5_000);
  flip(join(copy, bundle.volumes[2]!), 5_000);
  const report = await zone.import(bundle, { places: [bundle.folder, copy] });
  t.equal(report.outcome, 'published');
});

t.test('volumes come in any order and may come twice; what was read stays', async (t) => {
  const { zone, bundle, volume } = await prepare(t);
  const shelf = join(zone.folder, 'shelf');
  renameSync(join(bundle.folder, 'volumes'), shelf);
  const drop = join(bundle.folder, 'volumes');
  await mkdir(drop);
  for (const name of bundle.volumes.toReversed().slice(0, -1)) {
    copyFileSync(join(shelf, name), join(drop, name));
    await t.rejects(zone.import(bundle), { code: 'VOLUME_MISSING' }, name);
    rmSync(join(drop, name));
  }
  copyFileSync(join(shelf, bundle.volumes[0]!), volume(1));
  const report = await zone.import(bundle);
  t.equal(report.outcome, 'published');
  t.ok(report.readBytes < 50_000, `only what is new was read: ${report.readBytes}`);
});

t.test('a volume of the bundle before is not taken for one of this', async (t) => {
  const { zone, bundle, volume } = await prepare(t);
  await zone.import(bundle);
  const next = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    previous: bundle.asPrevious,
    images: [{ ...oldImages[0]!, name: 'docker.io/library/old:1.0' }],
  });
  copyFileSync(volume(1), join(next.folder, 'volumes', next.volumes[0]!));
  await refuses(t, zone, next, 'VOLUME_FOREIGN', /is volume 1 of bundle 1 of stream/);
});

t.test('an older bundle is not imported after a newer one', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  const second = { folder: join(zone.folder, '2'), sequence: 2, previous: bundle.asPrevious };
  const newer = await writeFullBundle({ ...second, images });
  await zone.import(newer);
  await refuses(t, zone, bundle, 'METADATA_ROLLBACK');
  t.match(await zone.import(newer), { outcome: 'held', generation: 2 }, 'the newest again is none');
});

t.test('of two bundles with one number only the first is believed', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  const twin = await writeFullBundle({ folder: join(zone.folder, 'twin'), images: oldImages });
  await refuses(t, zone, twin, 'FORK');
  const heir = await writeFullBundle({
    folder: join(zone.folder, 'heir'),
    sequence: 2,
    previous: twin.asPrevious,
    images,
  });
  await refuses(t, zone, heir, 'FORK', /two bundles 1/);
});

t.test('a delta is imported after what it builds upon, and not before', async (t) => {
  const zone = makeZone(t);
  const first = await writeFullBundle({ folder: join(zone.folder, '1'), images: oldImages });
  const delta = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    base: 1,
    previous: first.asPrevious,
    images: [
      { ...oldImages[0]!, name: 'docker.io/library/old:1.0' },
      ...images.map((image) => ({ ...image, tagVersion: 2 })),
    ],
    assumed: digestsOf(old, oldSignature),
  });
  await refuses(t, zone, delta, 'GAP', /nothing was imported here: import bundle 1 first/);
  await zone.import(first);
  t.match(await zone.import(delta), { outcome: 'published', sequence: 2 });
});

t.test('what a delta takes to be here and is not is listed for its maker', async (t) => {
  const zone = makeZone(t);
  const first = await writeFullBundle({ folder: join(zone.folder, '1'), images: oldImages });
  await zone.import(first);
  const layer = closureOf(app).blobs.at(-1)!.descriptor;
  const delta = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    base: 1,
    previous: first.asPrevious,
    images: images.map((image) => ({ ...image, tagVersion: 2 })),
    assumed: [layer.digest],
  });
  await refuses(t, zone, delta, 'BLOB_MISSING', new RegExp(layer.digest));
  const need = JSON.parse(readFileSync(join(zone.store, 'need.json'), 'utf8')) as object;
  t.strictSame(need, {
    stream: first.document.stream,
    sequence: 2,
    base: 1,
    missing: [{ digest: layer.digest, size: layer.size }],
  });
});

t.test('content that the disk has lost meanwhile is not taken to be here', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  const layer = closureOf(app).blobs.at(-1)!.descriptor;
  const file = join(zone.store, 'blobs', ...layer.digest.split(':'));
  flip(file, 10);
  zone.clock.advanceMs(30 * 86_400_000);
  const delta = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    base: 1,
    previous: bundle.asPrevious,
    images,
    assumed: digestsOf(app, signature),
  });
  await refuses(t, zone, delta, 'BLOB_MISSING', new RegExp(layer.digest));
});

t.test('a tag goes back only with a signed record, and never beyond its end', async (t) => {
  const { zone, bundle } = await prepare(t, {
    images: images.map((image) => ({ ...image, tagVersion: 5 })),
  });
  await zone.import(bundle);
  const second = { sequence: 2, previous: bundle.asPrevious };
  const back = oldImages.map((image) => ({ ...image, tagVersion: 4 }));
  const without = await writeFullBundle({
    ...second,
    folder: join(zone.folder, 'a'),
    images: back,
  });
  await refuses(t, zone, without, 'TAG_ROLLBACK', /docker\.io\/library\/app:1\.0 had version 5/);
  const record = {
    ...without.document.images[0]!,
    tag: without.document.images[0]!.tag!,
    to: old.descriptor.digest,
    owner: 'sre@acme.example',
  };
  const { repository, tag, to, owner } = record;
  const rollbackUntil = (until: string) => [{ repository, tag, to, owner, until: new Date(until) }];
  const over = await writeFullBundle({
    ...second,
    folder: join(zone.folder, 'b'),
    images: back,
    rollbacks: rollbackUntil('2030-01-01T12:00:00Z'),
  });
  await refuses(t, zone, over, 'TAG_ROLLBACK');
  const elsewhere = await writeFullBundle({
    ...second,
    folder: join(zone.folder, 'd'),
    images: back,
    rollbacks: [{ ...rollbackUntil('2030-02-01T00:00:00Z')[0]!, to: app.descriptor.digest }],
  });
  await refuses(t, zone, elsewhere, 'TAG_ROLLBACK');
  const permitted = await writeFullBundle({
    ...second,
    folder: join(zone.folder, 'c'),
    images: back,
    rollbacks: rollbackUntil('2030-02-01T00:00:00Z'),
  });
  t.match(await zone.import(permitted), { outcome: 'published' });
});

t.test('an expired bundle stays expired when the clock is set back', async (t) => {
  const { zone, bundle } = await prepare(t);
  zone.clock.advanceMs(40 * 86_400_000);
  await zone.import(bundle);
  const late = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    previous: bundle.asPrevious,
    images,
    expires: { timestamp: '2030-02-01T00:00:00Z' },
  });
  zone.clock.advanceMs(-40 * 86_400_000);
  await refuses(t, zone, late, 'METADATA_EXPIRED', /the time is 2030-02-11/);
});

t.test('roots lead from the first to the fourth in one import, and back to none', async (t) => {
  const roots = await rootsOf(
    {},
    { keys: { root: ['root 2'], targets: ['targets 2'] } },
    { keys: { root: ['root 3'], targets: ['targets 2'], timestamp: ['timestamp 3'] } },
    { keys: { root: ['root 4'], targets: ['targets 4'], timestamp: ['timestamp 3'] } },
  );
  const signers = { targets: ['targets 4'], timestamp: ['timestamp 3'] };
  const { zone, bundle } = await prepare(t, { roots, signers });
  t.match(await zone.import(bundle), { outcome: 'published' });
  const before = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    previous: bundle.asPrevious,
    images,
  });
  await refuses(t, zone, before, 'METADATA_SIGNATURE');
});

t.test('numbers that a stolen snapshot key made up end with its rotation', async (t) => {
  const { zone, bundle } = await prepare(t, {
    sequence: 900,
    previous: { sequence: 899, snapshot: app.descriptor.digest },
  });
  await zone.import(bundle);
  const roots = await rootsOf(
    {},
    { keys: { snapshot: ['snapshot 2'], timestamp: ['timestamp 2'] } },
  );
  const next = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 12,
    previous: { sequence: 11, snapshot: app.descriptor.digest },
    images,
    roots,
    signers: { snapshot: ['snapshot 2'], timestamp: ['timestamp 2'] },
  });
  t.match(await zone.import(next), { outcome: 'published', sequence: 12 });
});

t.test('a bundle of another stream is refused, whatever it says of itself', async (t) => {
  const { zone, bundle } = await prepare(t);
  await zone.import(bundle);
  const stream = 'f'.repeat(32);
  const roots = await rootsOf({ stream, keys: { root: ['other'] } });
  const other = await writeFullBundle({
    folder: join(zone.folder, 'b'),
    sequence: 2,
    previous: bundle.asPrevious,
    images,
    stream,
    roots,
  });
  const before = zone.published();
  await t.rejects(zone.import(other), {
    code: /STREAM_MISMATCH|METADATA_SIGNATURE|METADATA_MISMATCH/,
  });
  t.equal(zone.published(), before);
  const disguised = await writeFullBundle({
    folder: join(zone.folder, 'c'),
    sequence: 2,
    previous: bundle.asPrevious,
    images,
    changeDocument: (document) => ({ ...document, stream }),
  });
  await refuses(t, zone, disguised, 'STREAM_MISMATCH');
});

t.test('without a root to begin with nothing is imported', async (t) => {
  const { zone, bundle } = await prepare(t, {}, { airgap: { root: undefined } });
  await refuses(t, zone, bundle, 'ROOT_MISSING');
  t.match(await zone.import(bundle, { root: join(zone.folder, 'root.json') }), {
    outcome: 'published',
  });
});

t.test('a bundle that lacks a part of an image is refused before it is published', async (t) => {
  const layer = closureOf(app).blobs.at(-1)!.descriptor.digest;
  const { zone, bundle } = await prepare(t, {
    changeIndex: (text) => text.replaceAll(layer, `sha256:${'0'.repeat(64)}`),
  });
  await refuses(t, zone, bundle, 'CONTENT_MISMATCH', /0000: it was exported so|other bytes/);
});

t.test('a record that is not in the index keeps the image from being published', async (t) => {
  const missing = buildImage({ name: 'missing' });
  const { zone, bundle } = await prepare(t, {
    changeDocument: (document) => ({
      ...document,
      images: document.images.map((image) => ({
        ...image,
        children: [{ ...image.root, digest: missing.descriptor.digest }],
      })),
    }),
  });
  await refuses(t, zone, bundle, 'BLOB_MISSING', new RegExp(missing.descriptor.digest));
});
