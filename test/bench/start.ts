import { join } from 'node:path';
import type { Owner } from '../interop/support/process.ts';
import { report } from './figure.ts';
import { startAssay } from './peers.ts';
import { openScene } from './scene.ts';
import { storeVerdicts } from './stored-verdicts.ts';

// How long the built proxy takes from the start of its process until it answers, with a fresh
// folder and with verdicts in it.

const verdicts = Number(process.env['ASSAY_BENCH_VERDICTS'] ?? 100_000);
const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3) * 2;

await using scene = await openScene();
const { folder, upstream } = scene;
const image = await scene.pushSigned('start');

const empty: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  empty.push(await startSeconds(join(folder, `empty-${round}`)));
}
const parent = join(folder, 'full');
await startSeconds(parent, `/v2/up/app/manifests/${image.descriptor.digest}`);
await storeVerdicts(join(parent, 'assay', 'assay.yaml'), verdicts);
const full: number[] = [];
for (let round = 0; round < rounds; round += 1) full.push(await startSeconds(parent));
report({ title: 'ready after start, empty', unit: 's', values: { assay: empty } });
report({
  title: `ready after start, ${verdicts.toLocaleString('en-GB')} stored verdicts`,
  unit: 's',
  values: { assay: full },
  goal: { atMost: 1 },
});

/** Until `path` is answered with success, and the process has ended again. */
async function startSeconds(at: string, path = '/v2/'): Promise<number> {
  await using running = new AsyncDisposableStack();
  const began = performance.now();
  const own: Owner = { teardown: (end) => running.defer(end) };
  const assay = await startAssay(own, at, upstream, scene.rootPem);
  const headers = { Accept: image.descriptor.mediaType };
  const response = await fetch(`${assay.url}${path}`, { headers });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}`);
  return (performance.now() - began) / 1000;
}
