import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '../interop/support/process.ts';
import { buildImage } from '../support/build-image.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';
import { report } from './figure.ts';
import { startAssay, startDistribution } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';
import { storeVerdicts } from './stored-verdicts.ts';

// How long the built proxy takes from the start of its process until it answers, with a fresh
// folder and with verdicts in it.

const verdicts = Number(process.env['ASSAY_BENCH_VERDICTS'] ?? 100_000);
const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3) * 2;

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));
const owner: Owner = { teardown: (end) => stack.defer(end) };
const upstream = await startDistribution(owner, folder, 'upstream');
const chain = makeChain();
const image = buildImage({ name: 'start' });
const signature = signedBy({ of: image.descriptor, format: 'jws', chain });
await push(upstream.url, 'app', image);
await push(upstream.url, 'app', signature);
const tag = `sha256-${image.descriptor.digest.slice(7)}`;
await push(upstream.url, 'app', referrersList(signature), tag);

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
  const assay = await startAssay(own, at, upstream.url, chain.root.pem);
  const headers = { Accept: image.descriptor.mediaType };
  const response = await fetch(`${assay.url}${path}`, { headers });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}`);
  return (performance.now() - began) / 1000;
}
