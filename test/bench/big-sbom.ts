import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { mustRun, type Owner } from '../interop/support/process.ts';
import { type Artifact, buildBlob, buildImage, buildManifest } from '../support/build-image.ts';
import { makeBundle, newMediaType } from '../support/sigstore-bundle.ts';
import { testKey } from '../support/test-keys.ts';
import { report } from './figure.ts';
import { pullDuring, quantile } from './paced-pulls.ts';
import { startAssayUnder, startDistribution } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';

// Warm manifest pulls of the built proxy while it verifies CycloneDX attestations of 30 MB, and
// while it does not: in turns, one attestation after the other, each of an image never seen. With
// one core, which the pulls and the thread that reads them share, and with two. What comes of that
// sharing alone is seen beside another process that reads JSON on the same cores for as long.

const images = Number(process.env['ASSAY_BENCH_SBOMS'] ?? 6);
const seconds = Number(process.env['ASSAY_BENCH_SECONDS'] ?? 3);
const sbomBytes = 30_000_000;
const intervalMs = 5;
const cyclonedx = 'https://cyclonedx.org/bom';
const trustPolicy = `version: 1
identities:
  ci: { sigstore: { publicKeys: [ci.pub], transparencyLog: not-required } }
rules:
  - repositories: ["up/app"]
    require: { signedBy: ci }
  - repositories: ["up/attested"]
    require:
      attestation:
        predicateTypes: ["${cyclonedx}"]
        signedBy: ci
        conditions: { sbom.noLicense: ["GPL-*"] }
`;

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));
const owner: Owner = { teardown: (end) => stack.defer(end) };
const upstream = await startDistribution(owner, folder, 'upstream');

const warm = buildImage({ name: 'warm', layerSizes: Array.from({ length: 12 }, () => 1000) });
await pushSigned('app', warm, { predicateType: 'https://sigstore.dev/cosign/sign/v1' });
const attested = Array.from({ length: images }, (_, index) => buildImage({ name: `big ${index}` }));
for (const [index, image] of attested.entries()) {
  await pushSigned('attested', image, { predicateType: cyclonedx, predicate: sbomOf(index) });
}
for (const cores of ['0', '0,1']) await measure(cores);

interface Said {
  readonly predicateType: string;
  readonly predicate?: unknown;
}

/** As cosign 3 stores it, found by the index under the subject's tag. */
async function pushSigned(
  repository: string,
  image: Artifact,
  { predicateType, predicate = {} }: Said,
): Promise<void> {
  const digest = { sha256: image.descriptor.digest.slice(7) };
  const { bytes } = makeBundle({
    key: 'EC-256',
    entries: [],
    predicateType,
    statement: (plain) => ({ ...plain, subject: [{ digest }], predicate }),
  });
  const bundle = buildManifest({
    artifactType: newMediaType,
    layers: [buildBlob(newMediaType, bytes)],
    subject: image.descriptor,
  });
  await push(upstream.url, repository, image);
  await push(upstream.url, repository, bundle);
  const list = referrersList(bundle, newMediaType);
  await push(upstream.url, repository, list, `sha256-${digest.sha256}`);
}

function sbomOf(index: number): unknown {
  const component = (number: number) => ({
    type: 'library',
    name: `package-${index}-${number}`,
    version: `1.${number}.0`,
    purl: `pkg:npm/package-${index}-${number}@1.${number}.0`,
    licenses: [{ license: { id: 'MIT' } }],
  });
  const count = Math.ceil(sbomBytes / (JSON.stringify(component(100_000)).length + 1));
  const components = Array.from({ length: count }, (_, number) => component(number));
  return { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components };
}

async function measure(cores: string): Promise<void> {
  const pem = createPublicKey(testKey('EC-256', 'sigstore')).export({
    type: 'spki',
    format: 'pem',
  });
  const parent = join(folder, `cores-${cores}`);
  const files = { 'ci.pub': pem.toString() };
  const assay = await startAssayUnder(owner, parent, upstream.url, { trustPolicy, files, cores });
  const urlOf = (repository: string, { descriptor }: Artifact): string =>
    `${assay.url}/v2/up/${repository}/manifests/${descriptor.digest}`;
  const warmUrl = urlOf('app', warm);
  await expectAdmitted(warmUrl);
  // Until the code of a pull is compiled.
  await pullDuring(warmUrl, intervalMs, () => pause(seconds * 1000));
  const quiet: number[] = [];
  const beside: number[] = [];
  const shared: number[] = [];
  const verdicts: number[] = [];
  for (const image of attested) {
    quiet.push(...(await pullDuring(warmUrl, intervalMs, () => pause(seconds * 1000))));
    const start = performance.now();
    const url = urlOf('attested', image);
    beside.push(...(await pullDuring(warmUrl, intervalMs, () => expectAdmitted(url))));
    const tookMs = performance.now() - start;
    verdicts.push(tookMs);
    shared.push(...(await pullDuring(warmUrl, intervalMs, () => readElsewhere(cores, tookMs))));
  }
  const { length } = cores.split(',');
  const p99 = { assay: [quantile(beside, 0.99)], 'assay without it': [quantile(quiet, 0.99)] };
  const title = `warm pull beside a verdict on a 30 MB attestation, p99, cores: ${length}`;
  report({ title, unit: 'ms', values: p99 });
  console.log(
    `warm manifest pulls, 200/s, cores: ${length}, load of the machine ${loadavg()[0]?.toFixed(1)}\n` +
      `${timesOf('alone', quiet)}\n${timesOf('beside a 30 MB attestation', beside)}\n` +
      `${timesOf('beside another process that reads JSON', shared)}\n` +
      `  a verdict on it, median of ${images}: ${quantile(verdicts, 0.5).toFixed(0)} ms\n`,
  );
}

/** Reads JSON again and again, in a process of its own. */
async function readElsewhere(cores: string, forMs: number): Promise<void> {
  const script = `const text = JSON.stringify(Array.from({ length: 200000 }, (_, id) =>
    ({ type: 'library', name: 'package-' + id, licenses: [{ license: { id: 'MIT' } }] })));
  while (performance.now() < ${forMs}) JSON.parse(text);`;
  await mustRun('taskset', ['-c', cores, process.execPath, '-e', script]);
}

function timesOf(name: string, times: readonly number[]): string {
  const [half, most, last] = [0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(1));
  return `  ${name}: p50 ${half} ms, p99 ${most} ms, slowest ${last} ms, of ${times.length}`;
}

async function expectAdmitted(url: string): Promise<void> {
  const response = await fetch(url, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text}`);
}
