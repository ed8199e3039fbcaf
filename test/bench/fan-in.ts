import { join } from 'node:path';
import { openBlobClient } from '../support/blob-client.ts';
import type { Artifact } from '../support/build-image.ts';
import { report } from './figure.ts';
import { startAssay, startDistribution } from './peers.ts';
import { openScene } from './scene.ts';
import { startSlowFront } from './slow-front.ts';

// 500 clients pull one image by its tag, which is not there yet: how often each digest is fetched from upstream,
// and how long it takes until the last client has all of it, beside distribution's pull-through.

const clients = Number(process.env['ASSAY_BENCH_CLIENTS'] ?? 500);
const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);
const layerBytes = 1024 * 1024;

await using scene = await openScene();
const { folder, owner, upstream } = scene;
const ends = {
  teardown: (end: () => void) => owner.teardown(() => Promise.resolve(end())),
};

const fetches: Record<string, number[]> = {};
const seconds: Record<string, number[]> = {};
for (let round = 0; round < rounds; round += 1) {
  const tag = `fan-in-${round}`;
  const image = await scene.pushSigned(tag, [layerBytes, layerBytes + 1]);
  for (const name of ['assay', 'distribution pull-through']) {
    const front = await startSlowFront(owner, upstream, 0);
    const base =
      name === 'assay'
        ? `${(await startAssay(owner, join(folder, `${round}`), front.url, scene.rootPem)).url}/v2/up/app`
        : `${(await startDistribution(owner, folder, `mirror-${round}`, front.url)).url}/v2/app`;
    const began = performance.now();
    await Promise.all(Array.from({ length: clients }, () => pull(base, image, tag)));
    (seconds[name] ??= []).push((performance.now() - began) / 1000);
    const digests = [image, ...image.blobs].map(({ descriptor }) => descriptor.digest);
    const times = digests.map((digest) => fetchesOf(front.gets, digest));
    (fetches[name] ??= []).push(Math.max(...times));
  }
}
const title = `${clients} clients of one cold image`;
const goal = { atMost: 1 };
report({ title: `${title}, fetches of a digest at most`, unit: '', values: fetches, goal });
report({ title: `${title}, until the last has it`, unit: 's', values: seconds });

function fetchesOf(gets: ReadonlyMap<string, number>, digest: string): number {
  let sum = 0;
  for (const [path, count] of gets) {
    if (path.endsWith(`/blobs/${digest}`) || path.endsWith(`/manifests/${digest}`)) sum += count;
  }
  return sum;
}

async function pull(base: string, image: Artifact, tag: string): Promise<void> {
  const headers = { Accept: image.descriptor.mediaType };
  const response = await fetch(`${base}/manifests/${tag}`, { headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!bytes.equals(image.bytes)) throw new Error(`${base} answered ${response.status}`);
  const { origin, pathname } = new URL(base);
  await Promise.all(
    image.blobs.map(async ({ descriptor, bytes: expected }) => {
      const path = `${pathname}/blobs/${descriptor.digest}`;
      const { isComplete, isRightSoFar } = await openBlobClient(ends, origin, path, { expected })
        .ended;
      if (!isComplete || !isRightSoFar) throw new Error(`${path} did not come whole`);
    }),
  );
}
