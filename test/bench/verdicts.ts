import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAssaySide } from '../interop/notation/run-assay.ts';
import type { Owner } from '../interop/support/process.ts';
import { loadTrustMaterial } from '../../src/trust/load.ts';
import { compareVerdicts, type Contest, judgeAll } from './compare-verdicts.ts';
import { cosignContests } from './cosign-contest.ts';
import { ownMs } from './cpu-time.ts';
import { notationContests, type Venue } from './notation-contest.ts';
import { startDistribution } from './peers.ts';

// Processor time of a verdict on an image that was never seen, by the verifier of a running Assay
// and by `notation verify` or `cosign verify`: the same images, the same registry, policy and trust
// store or key, in one run. Assay has a new verifier for each round, which remembers no image and
// no signature. What a tool spends before it does anything is measured by its `version`; what
// fetching costs Assay, by the same verdicts over a source in memory.

const images = Number(process.env['ASSAY_BENCH_IMAGES'] ?? 25);
const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));
const owner: Owner = { teardown: (end) => stack.defer(end) };
const { url } = await startDistribution(owner, folder, 'upstream');
const assay = openAssaySide({ host: new URL(url).host, url }, loadTrustMaterial);
stack.defer(() => assay.close());

const venue: Venue = { folder, url, assay, images };
const contests = [...(await notationContests(venue)), ...(await cosignContests(venue))];

await reportFirst(contests[0]);
for (const contest of contests) {
  await compareVerdicts(contest, { rounds, warmRounds: 10, folder });
}
console.log(`load of the machine: ${loadavg()[0]?.toFixed(1)}`);

/** Before anything is compiled: the first verdict of a process. */
async function reportFirst(contest: Contest | undefined): Promise<void> {
  if (contest === undefined) throw new TypeError('nothing to judge');
  const usedMs = await ownMs(() => judgeAll({ ...contest, images: contest.images.slice(0, 1) }));
  console.log(`the first verdict of a process of Assay: ${usedMs.toFixed(1)} CPU ms\n`);
}
