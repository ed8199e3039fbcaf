import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage } from '../support/build-image.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';
import type { Owner } from '../interop/support/process.ts';
import { startAssay, startDistribution, startNginx } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';
import type { ServerOnCore } from './server-on-core.ts';
import { load, type Load } from './wrk.ts';

// Warm manifest GETs of the built proxy beside nginx proxy_cache and distribution's pull-through:
// each server on the first core, loaded from the second, one after the other, in one run. The
// ratios are what to quote: single figures depend on the machine and the hour.

const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);
const seconds = Number(process.env['ASSAY_BENCH_SECONDS'] ?? 5);

interface Peer {
  readonly name: string;
  readonly server: ServerOnCore;
  /** The repository as this server calls it. */
  readonly repository: string;
}

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));

const owner: Owner = { teardown: (end) => stack.defer(end) };
const upstream = await startDistribution(owner, folder, 'upstream');
const image = buildImage({ name: 'bench', layerSizes: Array.from({ length: 12 }, () => 1000) });
const chain = makeChain();
const signature = signedBy({ of: image.descriptor, format: 'jws', chain });
await push(upstream.url, 'app', image, 'v1');
await push(upstream.url, 'app', signature);
await push(
  upstream.url,
  'app',
  referrersList(signature),
  `sha256-${image.descriptor.digest.slice(7)}`,
);

const assay = await startAssay(owner, folder, upstream.url, chain.root.pem);
const nginx = await startNginx(owner, folder, upstream.url);
const mirror = await startDistribution(owner, folder, 'mirror', upstream.url);
const peers: readonly Peer[] = [
  { name: 'assay', server: assay, repository: 'up/app' },
  { name: 'nginx proxy_cache', server: nginx, repository: 'app' },
  { name: 'distribution pull-through', server: mirror, repository: 'app' },
];

for (const [title, reference] of [
  ['by digest', image.descriptor.digest],
  ['by tag', 'v1'],
] as const) {
  const results = new Map<string, Load[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, server, repository } of peers) {
      const url = `${server.url}/v2/${repository}/manifests/${reference}`;
      await expectImage(url);
      results.set(name, [...(results.get(name) ?? []), await load(url, { seconds })]);
    }
  }
  report(`warm manifest GET ${title}, ${image.bytes.byteLength} bytes, 32 connections`, results);
}
for (const { name, server } of peers) {
  console.log(`${name}: ${(await server.memoryMiB()).toFixed(0)} MiB resident after the run`);
}

async function expectImage(url: string): Promise<void> {
  const response = await fetch(url, { headers: { Accept: image.descriptor.mediaType } });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200 || !bytes.equals(image.bytes)) {
    throw new Error(`${url} answered ${response.status}: ${bytes.subarray(0, 500)}`);
  }
}

function report(title: string, results: ReadonlyMap<string, readonly Load[]>): void {
  const own = median(results.get('assay') ?? []);
  console.log(`\n${title}, median of ${rounds} rounds of ${seconds} s`);
  for (const [name, loads] of results) {
    const { requestsPerSecond, p99Ms } = median(loads);
    const ratio = own.requestsPerSecond / requestsPerSecond;
    const speed = requestsPerSecond.toFixed(0).padStart(7);
    console.log(
      `  ${name.padEnd(27)}${speed}/s  p99 ${p99Ms.toFixed(2)} ms  assay is ${ratio.toFixed(2)} of it`,
    );
  }
}

function median(loads: readonly Load[]): Load {
  const sorted = loads.toSorted((one, other) => one.requestsPerSecond - other.requestsPerSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new TypeError('no rounds');
  return middle;
}
