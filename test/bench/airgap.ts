import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { putBlob, putManifest } from '../interop/support/registry-writer.ts';
import { mustRun, type Owner } from '../interop/support/process.ts';
import {
  type Artifact,
  buildBlob,
  buildImage,
  buildManifest,
  type BuiltBlob,
} from '../support/build-image.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';
import { type Figure, report } from './figure.ts';
import { type Measured, measureProcess } from './measured-process.ts';
import { startDistribution, tool } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';

// A bundle of gibibytes: exported from a registry, and from what the export before has stored,
// imported, and brought up to date with one small image. Beside them `cp` of its volumes with one
// `openssl dgst` of the copies, which nothing less than carrying and checking them could be. All of
// it lies in memory for the system's cache as far as that goes; what counts is the work.

const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);
const gibibytes = Number(process.env['ASSAY_BENCH_GIB'] ?? 1);
const mebibyte = 1024 * 1024;
/** Of one image, which is one gibibyte. */
const layerSizes = [256, 256, 128, 128, 64, 64, 32, 32, ...Array.from({ length: 64 }, () => 1)];
const repository = 'app';
const main = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
// As in the image.
const assay = [process.execPath, '--max-semi-space-size=8', main, 'airgap'] as const;

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));
const owner: Owner = { teardown: (end) => stack.defer(end) };

const upstream = await startDistribution(owner, folder, 'upstream');
const target = { origin: upstream.url, repository };
const chain = makeChain();
const tags: string[] = [];
for (let index = 0; index < gibibytes; index += 1) await pushLarge(`large-${index}`);
await writeSites();
await run('init', '--out', join(folder, 'keys'));

const took = {
  cold: await exportTo('cold'),
  warm: [] as Measured[],
  import: [] as Measured[],
  delta: [] as Measured[],
  'delta import': [] as Measured[],
};
/** Before and behind each of them: others may be at work on the machine. */
const copied = { warm: [] as number[], import: [] as number[] };
let bundle = 1;
for (let round = 0; round < rounds; round += 1) await measureRound(round);
tell();

/** A full bundle, and one that adds an image of a few kilobytes to it. */
async function measureRound(round: number): Promise<void> {
  await rm(join(folder, 'store'), { recursive: true, force: true });
  const before = await copyAndHash();
  took.warm.push(await exportTo('full'));
  bundle += 1;
  const between = await copyAndHash();
  took.import.push(await importFrom('full'));
  copied.warm.push((before + between) / 2);
  copied.import.push((between + (await copyAndHash())) / 2);
  await pushSigned(buildImage({ name: `small-${round}` }), `small-${round}`);
  took.delta.push(await exportTo('delta', '--since', String(bundle)));
  bundle += 1;
  took['delta import'].push(await importFrom('delta'));
  const large = gibibytes * 1024 * mebibyte;
  const bytes = await volumeBytes('delta');
  if (bytes > large / 100) throw new Error(`the delta has ${bytes} bytes`);
  for (const name of ['full', 'delta']) await rm(join(folder, name), { recursive: true });
}

function tell(): void {
  const perGiB = (value: number): number => value / gibibytes;
  const secondsOf = (measured: readonly Measured[]): readonly number[] =>
    measured.map(({ seconds }) => perGiB(seconds));
  const cpuOf = (measured: readonly Measured[]): readonly number[] =>
    measured.map(({ cpuSeconds }) => perGiB(cpuSeconds));
  const peakOf = (measured: readonly Measured[]): readonly number[] =>
    measured.map(({ peakMiB }) => peakMiB);
  const load = loadavg()[0]?.toFixed(1);
  console.log(`\na bundle of ${gibibytes} GiB, load of the machine ${load}`);
  const beside = 'cp and openssl dgst';
  const goal = { [beside]: { atMost: 2 } };
  for (const [title, name] of [
    ['air gap: export of what is stored', 'warm'],
    ['air gap: import', 'import'],
  ] as const) {
    const of = took[name];
    const values = { assay: secondsOf(of), [beside]: copied[name].map(perGiB) };
    report({ title, unit: 's/GiB', values, ratios: goal });
    report({ title: `${title}, processor`, unit: 'CPU s/GiB', values: { assay: cpuOf(of) } });
    reportPeak(`${title}, anonymous memory at most`, peakOf(of));
  }
  const title = 'air gap: export of what is upstream alone';
  report({ title, unit: 's/GiB', values: { assay: secondsOf([took.cold]) } });
  reportPeak(`${title}, anonymous memory at most`, peakOf([took.cold]));
  for (const name of ['delta', 'delta import'] as const) {
    const values = { assay: took[name].map(({ seconds }) => seconds) };
    report({ title: `air gap: ${name} of one small image`, unit: 's', values });
  }
}

function reportPeak(title: string, assayMiB: Figure['values'][string]): void {
  report({ title, unit: 'MiB', values: { assay: assayMiB }, goal: { atMost: 256 } });
}

/** Signed, and under a tag; its layers go there one by one. */
async function pushLarge(name: string): Promise<void> {
  const layers: BuiltBlob['descriptor'][] = [];
  for (const size of layerSizes) {
    const { descriptor, bytes } = buildBlob(
      'application/vnd.oci.image.layer.v1.tar+gzip',
      randomFillSync(Buffer.allocUnsafeSlow(size * mebibyte)),
    );
    await putBlob(target, bytes);
    layers.push(descriptor);
  }
  const config = buildBlob(
    'application/vnd.oci.image.config.v1+json',
    JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Labels: { name } } }),
  );
  await pushSigned(buildManifest({ config, members: { layers } }), name);
}

async function pushSigned(image: Artifact, tag: string): Promise<void> {
  await push(upstream.url, repository, image, tag);
  const signature = signedBy({ of: image.descriptor, format: 'jws', chain });
  await push(upstream.url, repository, signature);
  const list = referrersList(signature);
  const { mediaType } = list.descriptor;
  const under = `sha256-${image.descriptor.digest.slice(7)}`;
  await putManifest(target, under, mediaType, list.bytes);
  tags.push(tag);
}

async function writeSites(): Promise<void> {
  await mkdir(join(folder, 'trust', 'x509', 'ca', 'bench'), { recursive: true });
  await writeFile(join(folder, 'trust', 'x509', 'ca', 'bench', 'root.pem'), chain.root.pem);
  await writeFile(
    join(folder, 'trust-policy.yaml'),
    `version: 1
identities:
  signer: { notation: { trustStores: ["ca:bench"], trustedIdentities: ["*"] } }
rules:
  - repositories: ["up/**"]
    require: { signedBy: signer }
`,
  );
  const common = 'trustPolicy: ./trust-policy.yaml\n';
  await writeFile(
    join(folder, 'assay.yaml'),
    `${common}upstreams: { up: { url: "${upstream.url}", plainHttp: allowed } }
trust: { store: ./trust }
storage: { path: ./data }
airgap: { keys: ./keys }
`,
  );
  await writeFile(
    join(folder, 'zone.yaml'),
    `${common}trust: { store: ./trust, offline: true }
storage: { path: ./zone }
airgap: { store: ./store, root: ./keys/1.root.json }
`,
  );
}

async function exportTo(name: string, ...words: readonly string[]): Promise<Measured> {
  const list = join(folder, 'images.yaml');
  await writeFile(list, `images: ${JSON.stringify(tags.map((tag) => `up/${repository}:${tag}`))}`);
  const config = ['--config', join(folder, 'assay.yaml')];
  return run('export', ...config, '--images', list, '--out', join(folder, name), ...words);
}

async function importFrom(name: string): Promise<Measured> {
  return run('import', '--config', join(folder, 'zone.yaml'), join(folder, name));
}

async function run(...words: readonly string[]): Promise<Measured> {
  const [program, ...before] = assay;
  return measureProcess(program, [...before, ...words]);
}

async function volumesOf(name: string): Promise<readonly string[]> {
  const place = join(folder, name, 'volumes');
  return (await readdir(place)).map((file) => join(place, file));
}

async function volumeBytes(name: string): Promise<number> {
  const sizes = await Promise.all((await volumesOf(name)).map(async (file) => stat(file)));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

/** Seconds that `cp` of a bundle's volumes and `openssl dgst` of the copies take. */
async function copyAndHash(): Promise<number> {
  const files = await volumesOf('cold');
  const copies = join(folder, 'copies');
  await mkdir(copies);
  const began = performance.now();
  await mustRun('cp', [...files, copies]);
  const copied = (await readdir(copies)).map((file) => join(copies, file));
  await mustRun(tool('openssl'), ['dgst', '-sha256', ...copied]);
  const tookMs = performance.now() - began;
  await rm(copies, { recursive: true });
  return tookMs / 1000;
}
