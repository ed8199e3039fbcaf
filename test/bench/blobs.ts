import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type BlobClient, openBlobClient } from '../support/blob-client.ts';
import type { Artifact, BuiltBlob } from '../support/build-image.ts';
import { report } from './figure.ts';
import { startAssay, startNginxFiles } from './peers.ts';
import { openScene } from './scene.ts';
import type { ServerOnCore } from './server-on-core.ts';
import { quantile } from './paced-pulls.ts';
import { load } from './wrk.ts';

// Blobs of the built proxy beside nginx with sendfile on the same bytes: each server on the first
// core, loaded from the second, one after the other, in one run. Then what only the proxy does:
// many clients of a layer that is not there yet.

const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);
const seconds = Number(process.env['ASSAY_BENCH_SECONDS'] ?? 5);
const mebibyte = 1024 * 1024;
const streams = 200;

await using scene = await openScene();
const { folder, owner, upstream } = scene;
const clients = {
  teardown: (end: () => void) => owner.teardown(() => Promise.resolve(end())),
};
const warm = await scene.pushSigned('bench-blobs', [256 * mebibyte, 10_000]);
const [, large, small] = warm.blobs as [BuiltBlob, BuiltBlob, BuiltBlob];
const assay = await startAssay(owner, folder, upstream, scene.rootPem);
const files = join(folder, 'files');
await mkdir(files);
for (const { descriptor, bytes } of [large, small]) {
  await writeFile(join(files, descriptor.digest), bytes);
}
const nginx = await startNginxFiles(owner, folder, files);
await admit(warm);
const atRestMiB = await assay.memoryMiB();

interface Peer {
  readonly name: string;
  readonly server: ServerOnCore;
  readonly urlOf: (blob: BuiltBlob) => string;
}
const peers: readonly Peer[] = [
  {
    name: 'assay',
    server: assay,
    urlOf: ({ descriptor }) => `${assay.url}/v2/up/app/blobs/${descriptor.digest}`,
  },
  {
    name: 'nginx sendfile',
    server: nginx,
    urlOf: ({ descriptor }) => `${nginx.url}/${descriptor.digest}`,
  },
];
for (const { urlOf } of peers) for (const blob of [large, small]) await expectBlob(urlOf, blob);

const parts = {
  bytes: compareBytes,
  small: compareSmall,
  memory: compareMemory,
  'first-bytes': measureFirstBytes,
} as const;
const wanted = (process.env['ASSAY_BENCH_PARTS'] ?? Object.keys(parts).join()).split(',');
for (const [name, measure] of Object.entries(parts)) if (wanted.includes(name)) await measure();
const afterMiB = await assay.memoryMiB();
report({
  title: 'memory at rest',
  unit: 'MiB',
  values: { assay: [atRestMiB] },
  goal: { atMost: 160 },
});
report({ title: 'memory after the load of blobs', unit: 'MiB', values: { assay: [afterMiB] } });

async function admit({ descriptor }: Artifact): Promise<void> {
  const headers = { Accept: descriptor.mediaType };
  const url = `${assay.url}/v2/up/app/manifests/${descriptor.digest}`;
  const { status } = await fetch(url, { headers });
  if (status !== 200) throw new Error(`${url} answered ${status}`);
}

async function expectBlob(urlOf: Peer['urlOf'], blob: BuiltBlob): Promise<void> {
  const url = new URL(urlOf(blob));
  const client = openBlobClient(clients, url.origin, url.pathname, { expected: blob.bytes });
  const { status, isComplete, isRightSoFar } = await client.ended;
  if (status !== 200 || !isComplete || !isRightSoFar) throw new Error(`${url} answered ${status}`);
}

interface Figure {
  readonly value: number;
  readonly cpuSecondsPerGiB: number;
}

async function compareBytes(): Promise<void> {
  for (const connections of [1, 8]) {
    const results = await runRounds(large, connections, ({ bytesPerSecond }) => bytesPerSecond);
    const title = `warm blob of 256 MiB, ${connections} connections`;
    const { values, cpu } = valuesOf(results, 1e-9);
    report({ title, unit: 'GB/s', values, ratios: { 'nginx sendfile': { atLeast: 0.9 } } });
    report({ title: `${title}, processor`, unit: 'CPU s/GiB', values: cpu });
  }
}

async function compareSmall(): Promise<void> {
  const results = await runRounds(small, 1000, ({ requestsPerSecond }) => requestsPerSecond);
  const title = 'warm blobs of 10,000 bytes, 1,000 connections';
  report({ title, unit: 'requests/s', values: valuesOf(results, 1).values });
}

function valuesOf(results: ReadonlyMap<string, readonly Figure[]>, factor: number) {
  const of = (pick: (figure: Figure) => number) =>
    Object.fromEntries([...results].map(([name, figures]) => [name, figures.map(pick)]));
  return { values: of(({ value }) => value * factor), cpu: of((each) => each.cpuSecondsPerGiB) };
}

async function runRounds(
  blob: BuiltBlob,
  connections: number,
  valueOf: (measured: Awaited<ReturnType<typeof load>>) => number,
): Promise<ReadonlyMap<string, readonly Figure[]>> {
  const results = new Map<string, Figure[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, server, urlOf } of peers) {
      const before = await server.cpuSeconds();
      const measured = await load(urlOf(blob), { seconds, connections });
      const used = (await server.cpuSeconds()) - before;
      const cpuSecondsPerGiB = used / (measured.bytes / 1024 ** 3);
      const figure = { value: valueOf(measured), cpuSecondsPerGiB };
      results.set(name, [...(results.get(name) ?? []), figure]);
    }
  }
  return results;
}

async function compareMemory(): Promise<void> {
  const values: Record<string, number[]> = {};
  for (const { name, server, urlOf } of peers) {
    const before = await server.memoryMiB();
    const url = new URL(urlOf(large));
    const open = (): BlobClient =>
      openBlobClient(clients, url.origin, url.pathname, {
        expected: large.bytes,
        stallAfter: 1,
      });
    const stalled = Array.from({ length: streams }, open);
    await Promise.all(stalled.map((client) => client.reaches(1)));
    // What is on its way arrives.
    await pause(2000);
    const grown = (await server.memoryMiB()) - before;
    for (const client of stalled) client.kill();
    values[name] = [grown / streams];
  }
  const title = `memory of a stream, ${streams} whose readers stall`;
  report({ title, unit: 'MiB', values, goal: { atMost: 0.5 } });
}

/** Of a layer that is not there yet: over what upstream itself gives, for one client and for many. */
async function measureFirstBytes(): Promise<void> {
  const own: number[] = [];
  const ownTogether: number[] = [];
  const alone: number[] = [];
  const together: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const image = await scene.pushSigned(`cold-${round}`, [64 * mebibyte, 64 * mebibyte + 1]);
    await admit(image);
    const [, layer, other] = image.blobs as [BuiltBlob, BuiltBlob, BuiltBlob];
    own.push(...(await pullAll(`${upstream}/v2/app`, layer, 1)));
    ownTogether.push(...(await pullAll(`${upstream}/v2/app`, layer, streams)));
    alone.push(...(await pullAll(`${assay.url}/v2/up/app`, other, 1)));
    const began = performance.now();
    together.push(...(await pullAll(`${assay.url}/v2/up/app`, layer, streams)));
    const tookSeconds = (performance.now() - began) / 1000;
    const gigabytes = (streams * layer.descriptor.size) / 1e9;
    console.log(
      `\n${streams} cold pulls of 64 MiB at once: ${tookSeconds.toFixed(1)} s,` +
        ` ${(gigabytes / tookSeconds).toFixed(2)} GB/s to all of them`,
    );
  }
  const first = 'first byte of a cold layer of 64 MiB';
  const title = `${first}, ${streams} clients at once`;
  report({ title: `${first}, one client`, unit: 'ms', values: { assay: alone, upstream: own } });
  const [p99, ownP99] = [quantile(together, 0.99), quantile(ownTogether, 0.99)];
  const medians = { assay: [quantile(together, 0.5)], upstream: [quantile(ownTogether, 0.5)] };
  report({ title: `${title}, median`, unit: 'ms', values: medians });
  report({ title: `${title}, p99`, unit: 'ms', values: { assay: [p99], upstream: [ownP99] } });
}

/** Milliseconds to the first byte, of each client. */
async function pullAll(base: string, blob: BuiltBlob, count: number): Promise<readonly number[]> {
  const { origin, pathname } = new URL(`${base}/blobs/${blob.descriptor.digest}`);
  const pull = () => openBlobClient(clients, origin, pathname, { expected: blob.bytes }).ended;
  const all = await Promise.all(Array.from({ length: count }, pull));
  const whole = all.filter(({ isComplete, isRightSoFar }) => isComplete && isRightSoFar);
  if (whole.length < count) throw new Error(`only ${whole.length} of ${count} got the whole layer`);
  return all.map(({ firstByteMs }) => firstByteMs);
}
