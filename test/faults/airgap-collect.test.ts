import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Collected, collectStore } from '../../src/airgap/collect-store.ts';
import type { Published } from '../../src/airgap/published.ts';
import { makeStoreFiles } from '../../src/airgap/store-files.ts';
import { importAirgapLayout } from '../../src/compose/airgap-import-layout.ts';
import { loadConfig } from '../../src/config/load.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { type FileSystem, systemFiles } from '../../src/storage/file-system.ts';
import { signatureOf } from '../support/app-kit.ts';
import { type Artifact, buildImage, closureOf } from '../support/build-image.ts';
import { type FullBundle, writeFullBundle } from '../support/bundle-kit.ts';
import { writeLayout } from '../support/write-layout.ts';
import { makeZone, type ZoneKit, type ZoneOptions } from '../support/zone-kit.ts';

const shared = buildImage({ name: 'shared', layerSizes: [20_000] });
const numbered = [1, 2, 3, 4].map((number) =>
  buildImage({ name: `image-${number}`, layerSizes: [30_000 + number, 500] }),
);
const unsigned = buildImage({ name: 'unsigned', layerSizes: [9_000] });

function digestsOf(...artifacts: readonly Artifact[]) {
  return artifacts.flatMap((artifact) => {
    const { manifests, blobs } = closureOf(artifact);
    return [...manifests, ...blobs].map(({ descriptor }) => descriptor.digest);
  });
}

const signatures = new Map<Artifact, Artifact>();

/** No two of the same are equal. */
function signatureOn(artifact: Artifact): Artifact {
  const signature = signatures.get(artifact) ?? signatureOf(artifact.descriptor);
  signatures.set(artifact, signature);
  return signature;
}

function withSignatures(...artifacts: readonly Artifact[]): readonly Artifact[] {
  return artifacts.flatMap((artifact) => [artifact, signatureOn(artifact)]);
}

function imageOf(name: string, artifact: Artifact, tagVersion: number) {
  return {
    name: `docker.io/library/${name}:1.0`,
    artifact,
    tagVersion,
    evidence: [signatureOn(artifact)],
  };
}

/** Each bundle has the shared image, and one that no other has. */
async function writeStream(zone: ZoneKit): Promise<readonly FullBundle[]> {
  const bundles: FullBundle[] = [];
  for (const [index, artifact] of numbered.entries()) {
    const previous = bundles.at(-1)?.asPrevious;
    bundles.push(
      await writeFullBundle({
        folder: join(zone.folder, `bundle-${index + 1}`),
        sequence: index + 1,
        ...(previous !== undefined && { previous }),
        volumeBytes: 40_000,
        images: [imageOf('shared', shared, 1), imageOf('app', artifact, index + 1)],
      }),
    );
  }
  return bundles;
}

async function importedStream(t: Test, generations: number, options: ZoneOptions = {}) {
  const zone = makeZone(t, { ...options, airgap: { generations } });
  const bundles = await writeStream(zone);
  const reports = [];
  for (const bundle of bundles) reports.push(await zone.import(bundle));
  return { zone, bundles, reports };
}

function blobsIn(store: string): readonly string[] {
  return readdirSync(join(store, 'blobs', 'sha256')).toSorted();
}

function namesOf(digests: readonly string[]): readonly string[] {
  return [...new Set(digests.map((digest) => digest.slice('sha256:'.length)))].toSorted();
}

function publishedIn(store: string): Published {
  return JSON.parse(readFileSync(join(store, 'published.json'), 'utf8')) as Published;
}

function generationsIn(store: string): readonly string[] {
  return readdirSync(join(store, 'generations')).toSorted();
}

const expected = namesOf(digestsOf(...withSignatures(shared, numbered[2]!, numbered[3]!)));

t.test('what no kept generation names is taken away, and told', async (t) => {
  const { zone, bundles, reports } = await importedStream(t, 2);
  t.strictSame(generationsIn(zone.store), ['3', '4']);
  t.strictSame(readdirSync(join(zone.store, 'trust')).toSorted(), ['3', '4', 'current']);
  t.strictSame(blobsIn(zone.store), expected);
  t.match(reports[1]?.freed, { generations: 0, blobs: 0, bytes: 0 });
  const gone = closureOf(numbered[0]!);
  const evidence = closureOf(signatureOn(numbered[0]!));
  const files = [...gone.manifests, ...gone.blobs, ...evidence.manifests, ...evidence.blobs];
  const own = files.filter(({ descriptor }) => !expected.includes(descriptor.digest.slice(7)));
  const bytes = new Map(own.map(({ descriptor: { digest, size } }) => [digest, size]));
  const sum = [...bytes.values()].reduce((total, size) => total + size, 0);
  t.strictSame(reports[2]?.freed, { generations: 1, blobs: bytes.size, bytes: sum });

  const kit = await zone.serve();
  const manifest = await kit.ask('docker.io/library/app/manifests/1.0');
  t.ok(manifest.body.equals(numbered[3]!.bytes));
  t.match(await zone.import(bundles[3]), { outcome: 'held', freed: { blobs: 0 } });
});

t.test('the number of generations that stay is configured, and 3 unless it is', async (t) => {
  const { zone } = await importedStream(t, 1000);
  t.strictSame(generationsIn(zone.store), ['1', '2', '3', '4']);
  const { airgap } = await loadConfig(makeZone(t).file);
  t.equal(airgap?.generations, 3);
  await t.rejects(loadConfig(makeZone(t, { airgap: { generations: 1 } }).file), /from 2 to 1000/);
});

t.test('a delta that builds upon what was taken away names it, and what to do', async (t) => {
  const { zone, bundles } = await importedStream(t, 2);
  const again = numbered[0]!;
  const delta = await writeFullBundle({
    folder: join(zone.folder, 'delta'),
    sequence: 5,
    base: 1,
    previous: bundles[3]!.asPrevious,
    images: [imageOf('shared', shared, 1), imageOf('app', again, 5)],
    assumed: digestsOf(...withSignatures(shared, again)),
  });
  const before = zone.published();
  await t.rejects(zone.import(delta), { code: 'BLOB_MISSING', message: /--since/ });
  t.equal(zone.published(), before);
  const full = await writeFullBundle({
    folder: join(zone.folder, 'full'),
    sequence: 5,
    previous: bundles[3]!.asPrevious,
    images: [imageOf('shared', shared, 1), imageOf('app', again, 5)],
  });
  t.match(await zone.import(full), { outcome: 'published' });
});

t.test('images that the policy left out stay, for the next delta has them not', async (t) => {
  const zone = makeZone(t, { airgap: { generations: 2 } });
  const images = [
    imageOf('shared', shared, 1),
    { name: 'docker.io/library/unsigned:1.0', artifact: unsigned, evidence: [] },
  ];
  const first = await writeFullBundle({ folder: join(zone.folder, '1'), images });
  const report = await zone.import(first, { keepTrusted: true });
  t.match(report, { outcome: 'published', freed: { blobs: 0 } });
  t.notOk(report.freed?.because);
  const emergency = await writeFullBundle({
    folder: join(zone.folder, '2'),
    sequence: 2,
    kind: 'revocation',
    previous: first.asPrevious,
    images: [],
  });
  t.match(await zone.import(emergency), { outcome: 'published', freed: { blobs: 0 } });
  const delta = await writeFullBundle({
    folder: join(zone.folder, '3'),
    sequence: 3,
    base: 1,
    previous: emergency.asPrevious,
    images: [...images, imageOf('app', numbered[0]!, 1)],
    assumed: digestsOf(...withSignatures(shared), unsigned),
  });
  t.match(await zone.import(delta, { keepTrusted: true }), { outcome: 'published' });
});

t.test('a layout that comes between two discs leaves what came of the first', async (t) => {
  const { zone, bundles } = await importedStream(t, 2);
  const images = [5, 6].map((number) =>
    imageOf(`disc-${number}`, buildImage({ name: `d${number}`, layerSizes: [70_000] }), 1),
  );
  const next = await writeFullBundle({
    folder: join(zone.folder, 'discs'),
    sequence: 5,
    previous: bundles[3]!.asPrevious,
    volumeBytes: 40_000,
    images,
  });
  const volumes = join(next.folder, 'volumes');
  const aside = join(zone.folder, 'aside');
  renameSync(join(volumes, next.volumes[1]!), aside);
  await t.rejects(zone.import(next), { code: 'VOLUME_MISSING' });

  const layout = join(zone.folder, 'layout');
  const vendor = buildImage({ name: 'vendor', layerSizes: [1_000] });
  const evidence = { artifact: signatureOn(vendor) };
  writeLayout(layout, [{ tag: 'docker.io/vendor/app:1', artifact: vendor }, evidence]);
  const taken = await importAirgapLayout(
    await loadConfig(zone.file),
    {
      path: layout,
      mode: 'import',
      untrusted: 'refuse-all',
      repository: undefined,
      onProgress: () => undefined,
    },
    new AbortController().signal,
    { clock: zone.clock },
  );
  t.match(taken, { outcome: 'published', freed: { generations: 1 } });
  t.notOk(taken.freed?.because);

  for (const name of next.volumes) rmSync(join(volumes, name), { force: true });
  renameSync(aside, join(volumes, next.volumes[1]!));
  t.match(await zone.import(next), { outcome: 'published' }, 'no other disc is asked for');
});

t.test('where it can not be told what is needed, nothing is taken away', async (t) => {
  const { zone } = await importedStream(t, 1000);
  const store = makeStoreFiles(zone.store);
  const collect = (keptGenerations: number): Promise<Collected> =>
    collectStore(publishedIn(zone.store), {
      store,
      files: systemFiles,
      clock: zone.clock,
      keptGenerations,
    });
  const list = join(store.generation(3), '_blobs.idx');
  const kept = join(zone.folder, 'kept');
  renameSync(list, kept);
  const before = zone.contents();
  t.match(await collect(2), { generations: 0, blobs: 0, because: /_blobs\.idx/ });
  t.strictSame(zone.contents(), before);
  renameSync(kept, list);
  const manifest = store.folder.blob(numbered[3]!.descriptor.digest);
  renameSync(manifest, kept);
  t.match(await collect(2), { generations: 0, blobs: 0, because: /is not there/ });
  renameSync(kept, manifest);
  const document = join(store.generation(4), 'bundle.json');
  rmSync(document);
  t.match(await collect(2), { generations: 0, blobs: 0, because: /is not what was published/ });
});

t.test(
  'a generation that was in force a moment ago stays, and whoever reads reads on',
  async (t) => {
    const { zone } = await importedStream(t, 1000);
    const store = makeStoreFiles(zone.store);
    const collectAt = (ms: number): Promise<Collected> =>
      collectStore(publishedIn(zone.store), {
        store,
        files: systemFiles,
        clock: { now: () => new Date(ms) },
        keptGenerations: 2,
      });
    const { mtimeMs } = statSync(store.generation(2));
    const none = { generations: 0, blobs: 0, bytes: 0 };
    t.strictSame(await collectAt(mtimeMs + 60_000), none);
    const layer = closureOf(numbered[0]!).blobs.at(-1)!;
    const path = store.folder.blob(layer.descriptor.digest);
    const reader = await open(path);
    t.match(await collectAt(mtimeMs + 86_400_000), { generations: 2 });
    t.notOk(existsSync(path));
    t.ok((await reader.readFile()).equals(layer.bytes));
    await reader.close();
  },
);

/** A process that ends at that call, of those that change something. */
function dieAt(point: number) {
  let calls = 0;
  const guard = <T extends (...words: never[]) => Promise<unknown>>(call: T): T =>
    (async (...words: never[]) => {
      calls += 1;
      if (calls >= point) throw new Error('killed');
      return call(...words);
    }) as T;
  const { rename, unlink, mkdir, open: openFile } = systemFiles;
  const files: FileSystem = {
    ...systemFiles,
    rename: guard(rename),
    unlink: guard(unlink),
    mkdir: guard(mkdir as never),
    open: guard(openFile),
  };
  return { files, count: () => calls };
}

t.test('killed at any point, all that is kept is whole, and the next one ends it', async (t) => {
  const { zone } = await importedStream(t, 1000);
  const published = publishedIn(zone.store);
  const collect = (folder: string, files: FileSystem): Promise<Collected> => {
    const store = makeStoreFiles(folder);
    return collectStore(published, { store, files, clock: zone.clock, keptGenerations: 2 });
  };
  const copyOf = (name: string): string => {
    const folder = join(zone.folder, name);
    cpSync(zone.store, folder, { recursive: true, preserveTimestamps: true });
    return folder;
  };
  const whole = dieAt(Infinity);
  const undisturbed = copyOf('undisturbed');
  t.match(await collect(undisturbed, whole.files), { generations: 2 });
  t.strictSame(blobsIn(undisturbed), expected);
  for (let point = 1; point <= whole.count(); point += 1) {
    const folder = copyOf(`point-${point}`);
    t.match(await collect(folder, dieAt(point).files), { because: /killed/ }, `point ${point}`);
    checkKept(t, folder);
    t.notOk((await collect(folder, systemFiles)).because);
    t.strictSame(blobsIn(folder), expected);
    t.strictSame(generationsIn(folder), ['3', '4']);
    t.notOk(existsSync(join(folder, 'trash')));
    rmSync(folder, { recursive: true });
  }
});

/** Each generation that is there has all that it names. */
function checkKept(t: Test, folder: string): void {
  const generations = generationsIn(folder);
  for (const needed of ['3', '4']) t.ok(generations.includes(needed), `generation ${needed} stays`);
  for (const generation of generations) {
    const digests = digestsOf(...withSignatures(shared, numbered[Number(generation) - 1]!));
    for (const name of namesOf(digests)) {
      const bytes = readFileSync(join(folder, 'blobs', 'sha256', name));
      if (digestOf(bytes) !== `sha256:${name}`) t.fail(`${name} of ${generation} is damaged`);
    }
  }
}
