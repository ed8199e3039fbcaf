import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstLine, type Owner, startProcess } from '../interop/support/process.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';
import { report } from './figure.ts';
import { startAssay, tool } from './peers.ts';
import { push } from './push.ts';
import { startSlowFront } from './slow-front.ts';

// How many round trips to an upstream, one after the other, the first pull of a signed manifest
// needs beyond the one that fetches it: the upstream answers each request 50 ms later, as if it
// were on another continent, and what the pull takes longer than without Assay is counted in them.

const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3) * 3;
const delayMs = 50;

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));
const owner: Owner = { teardown: (end) => stack.defer(end) };
const registry = startProcess(owner, tool('referrers-registry'), []);
const port = await firstLine(registry, (line) => /^listening on .*:(\d+)$/.exec(line)?.[1]);
const upstream = `http://127.0.0.1:${port}`;
const front = await startSlowFront(owner, upstream, delayMs);
const chain = makeChain();
const assay = await startAssay(owner, folder, front.url, chain.root.pem);

// Connections are open and code is compiled.
for (let round = 0; round < 10; round += 1) {
  const image = await pushSigned(`warm-${round}`);
  await pullMs(`${assay.url}/v2/up/app`, image, `warm-${round}`);
  await pullMs(`${front.url}/v2/app`, image, `warm-${round}`);
}
for (const by of ['digest', 'tag'] as const) {
  const through: number[] = [];
  const added: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const tag = `${by}-${round}`;
    const image = await pushSigned(tag);
    const reference = by === 'tag' ? tag : image.descriptor.digest;
    const directMs = await pullMs(`${front.url}/v2/app`, image, reference);
    const ms = await pullMs(`${assay.url}/v2/up/app`, image, reference);
    through.push(ms);
    added.push(Math.floor((ms - directMs) / delayMs));
  }
  const title = `cold pull by ${by}, upstream ${delayMs} ms away`;
  report({ title, unit: 'ms', values: { assay: through } });
  const goal = { atMost: by === 'tag' ? 4 : 3 };
  report({ title: `${title}, round trips added`, unit: '', values: { assay: added }, goal });
}

async function pushSigned(tag: string): Promise<Artifact> {
  const image = buildImage({ name: tag });
  await push(upstream, 'app', image, tag);
  await push(upstream, 'app', signedBy({ of: image.descriptor, format: 'jws', chain }));
  return image;
}

async function pullMs(base: string, image: Artifact, reference: string): Promise<number> {
  const began = performance.now();
  const headers = { Accept: image.descriptor.mediaType };
  const response = await fetch(`${base}/manifests/${reference}`, { headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status === 200 && bytes.equals(image.bytes)) return performance.now() - began;
  throw new Error(`${base} answered ${response.status}: ${bytes.subarray(0, 500)}`);
}
