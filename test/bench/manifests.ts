import { type Goal, report } from './figure.ts';
import { startAssay, startDistribution, startNginx, startZot } from './peers.ts';
import { openScene } from './scene.ts';
import type { ServerOnCore } from './server-on-core.ts';
import { load } from './wrk.ts';

// Warm manifest GETs of the built proxy beside nginx proxy_cache and the pull-through of distribution
// and, where it is there, of zot: each server on the first core, loaded from the second, one after the other, in one run. The
// ratios are what to quote: single figures depend on the machine and the hour.

const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);
const seconds = Number(process.env['ASSAY_BENCH_SECONDS'] ?? 5);

interface Peer {
  readonly name: string;
  readonly server: ServerOnCore;
  /** The repository as this server calls it. */
  readonly repository: string;
  /** What our speed should be of its. */
  readonly goal?: Goal;
}

await using scene = await openScene();
const { folder, owner, upstream } = scene;
const layerSizes = Array.from({ length: 12 }, () => 1000);
const image = await scene.pushSigned('v1', layerSizes);

const assay = await startAssay(owner, folder, upstream, scene.rootPem);
const nginx = await startNginx(owner, folder, upstream);
const mirror = await startDistribution(owner, folder, 'mirror', upstream);
const zot = await startZot(owner, folder, upstream);
const peers: readonly Peer[] = [
  { name: 'assay', server: assay, repository: 'up/app' },
  { name: 'nginx proxy_cache', server: nginx, repository: 'app', goal: { atLeast: 0.6 } },
  {
    name: 'distribution pull-through',
    server: mirror,
    repository: 'app',
    goal: { atLeast: 6 },
  },
  ...(zot === undefined
    ? []
    : [{ name: 'zot pull-through', server: zot, repository: 'app', goal: { atLeast: 4 } }]),
];
const ratios = Object.fromEntries(peers.flatMap(({ name, goal }) => (goal ? [[name, goal]] : [])));

for (const [title, reference] of [
  ['by digest', image.descriptor.digest],
  ['by tag', 'v1'],
] as const) {
  const values: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, server, repository } of peers) {
      const url = `${server.url}/v2/${repository}/manifests/${reference}`;
      await expectImage(url);
      const { requestsPerSecond } = await load(url, { seconds });
      (values[name] ??= []).push(requestsPerSecond);
    }
  }
  report({ title: `warm manifest GET ${title}`, unit: 'requests/s', values, ratios });
}

async function expectImage(url: string): Promise<void> {
  const response = await fetch(url, { headers: { Accept: image.descriptor.mediaType } });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200 || !bytes.equals(image.bytes)) {
    throw new Error(`${url} answered ${response.status}: ${bytes.subarray(0, 500)}`);
  }
}
