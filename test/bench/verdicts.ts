import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, makeCase } from '../interop/notation/case.ts';
import { type Judge, openAssaySide } from '../interop/notation/run-assay.ts';
import { writeConfiguration } from '../interop/notation/run-notation.ts';
import { mustRun, type Owner } from '../interop/support/process.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { makeTrust } from '../support/notation-case.ts';
import { type NotationFormat, signedBy } from '../support/sign-notation.ts';
import { type ChainOptions, makeChain } from '../support/test-ca.ts';
import { makeVerifierKit } from '../support/verifier-kit.ts';
import { signatureFormats } from '../../src/formats/index.ts';
import { loadTrustMaterial } from '../../src/trust/load.ts';
import { startDistribution, tool } from './peers.ts';
import { push } from './push.ts';
import { referrersList } from './referrers-list.ts';

// Processor time of a verdict on an image that was never seen, by the verifier of a running Assay
// and by `notation verify`: the same images, the same registry, policy and trust store, in one run.
// Assay has a new verifier for each round, which remembers no image and no signature. What notation
// spends before it does anything is measured by `notation version`; what fetching costs Assay, by
// the same verdicts over a source in memory.

const images = Number(process.env['ASSAY_BENCH_IMAGES'] ?? 25);
const warmRounds = 10;
const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);

const kinds: Readonly<Record<string, readonly [NotationFormat, ChainOptions]>> = {
  'JWS, EC P-256': ['jws', {}],
  'COSE, EC P-256': ['cose', {}],
  'JWS, RSA 2048': ['jws', rsaChain()],
  'COSE, RSA 2048': ['cose', rsaChain()],
};

const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(folder, { recursive: true, force: true }));
const owner: Owner = { teardown: (end) => stack.defer(end) };
const notation = tool('notation');
const registry = await startDistribution(owner, folder, 'upstream');
const { host } = new URL(registry.url);
const assay = openAssaySide({ host, url: registry.url }, loadTrustMaterial);
stack.defer(() => assay.close());

interface Kind {
  readonly name: string;
  readonly home: string;
  readonly path: string;
  readonly images: readonly Artifact[];
  /** With what Assay read of policy and trust store. */
  readonly makeJudge: () => Judge;
  /** Judges all images without fetching anything. */
  readonly judgeInMemory: () => Promise<void>;
}

const prepared: Kind[] = [];
for (const [index, [name, [format, options]]] of Object.entries(kinds).entries()) {
  prepared.push(await prepare(name, `bench/kind-${index}`, format, options));
}

await reportFirst();
for (const kind of prepared) await compare(kind);

/** Certificates of RSA keys all the way to the root. */
function rsaChain(): ChainOptions {
  const key = 'RSA-2048';
  return { algorithm: 'PS256', intermediate: { 0: { key } }, root: { key } };
}

/** Images whose signatures have nothing in common but the issuer, and who trusts that issuer. */
async function prepare(
  name: string,
  path: string,
  format: NotationFormat,
  options: ChainOptions,
): Promise<Kind> {
  const home = join(folder, path);
  const trustStore = { 'ca/acme/root.pem': makeChain(options).root.pem };
  const policy = { trustStores: ['ca:acme'] };
  const one: Case = makeCase(name, [], 'accepts', { trustStore, policy });
  writeConfiguration(home, one, `${host}/${path}`);
  const made: Artifact[] = [];
  const inMemory: Artifact[] = [];
  for (let index = 0; index < images; index += 1) {
    const image = buildImage({ name: `${path} ${index}` });
    const leaf = { subject: `C=US, ST=WA, O=acme, CN=release ${index}` };
    const signature = signedBy({
      of: image.descriptor,
      format,
      chain: makeChain({ ...options, leaf }),
    });
    await push(registry.url, path, image);
    await push(registry.url, path, signature);
    const list = referrersList(signature);
    await push(registry.url, path, list, `sha256-${image.descriptor.digest.slice(7)}`);
    made.push(image);
    inMemory.push(image, signature);
  }
  return {
    name,
    home,
    path,
    images: made,
    makeJudge: await assay.openFolder(home),
    judgeInMemory: () => judgeInMemory(inMemory, makeChain(options).root.der),
  };
}

async function judgeAll({ path, images: all, makeJudge }: Kind): Promise<void> {
  const judge = makeJudge();
  for (const image of all) {
    const { accepted, said } = await judge(path, image);
    if (!accepted) throw new Error(`assay refused ${image.descriptor.digest}: ${said}`);
  }
}

async function judgeInMemory(artifacts: readonly Artifact[], root: Uint8Array): Promise<void> {
  const trust = makeTrust({ 'ca:acme': [root] });
  const kit = makeVerifierKit({ formats: signatureFormats, trust });
  for (const artifact of artifacts) kit.source.put(artifact);
  for (const artifact of artifacts.filter(({ subject }) => subject === undefined)) {
    const { kind, because } = await kit.verify(artifact);
    if (kind !== 'trusted') throw new Error(`assay refused in memory: ${because}`);
  }
}

/** Before anything is compiled: the first verdict of a process. */
async function reportFirst(): Promise<void> {
  const [kind] = prepared;
  if (kind === undefined) throw new TypeError('nothing to judge');
  const usedMs = await ownMs(() => judgeAll({ ...kind, images: kind.images.slice(0, 1) }));
  console.log(`the first verdict of a process of Assay: ${usedMs.toFixed(1)} CPU ms\n`);
}

async function compare(kind: Kind): Promise<void> {
  const own: number[] = [];
  const withoutFetching: number[] = [];
  const theirs: number[] = [];
  const starts: number[] = [];
  // As in a proxy that runs: its code is compiled.
  for (let round = 0; round < warmRounds; round += 1) {
    await judgeAll(kind);
    await kind.judgeInMemory();
  }
  for (let round = 0; round < rounds; round += 1) {
    theirs.push(await notationMs(kind.home, verifyLines(kind)));
    starts.push(
      await notationMs(
        kind.home,
        kind.images.map(() => `"$NOTATION" version`),
      ),
    );
    own.push(await ownMs(() => judgeAll(kind)));
    withoutFetching.push(await ownMs(kind.judgeInMemory));
  }
  const each = (all: readonly number[]): number => middle(all) / images;
  const [assayMs, verifyMs, startMs] = [each(own), each(theirs), each(starts)];
  const ratios = [verifyMs / assayMs, (verifyMs - startMs) / assayMs].map((one) => one.toFixed(1));
  console.log(
    `${kind.name}, a verdict, median of ${rounds} rounds of ${images} images (CPU ms)\n` +
      `  assay ${assayMs.toFixed(2)}, of which without fetching ${each(withoutFetching).toFixed(2)}\n` +
      `  notation verify ${verifyMs.toFixed(2)}, of which its start ${startMs.toFixed(2)}\n` +
      `  assay uses 1/${ratios[0]} of it, and 1/${ratios[1]} of it without the start`,
  );
}

function verifyLines({ path, images: all }: Kind): readonly string[] {
  return all.map(
    ({ descriptor }) =>
      `"$NOTATION" verify --insecure-registry ${host}/${path}@${descriptor.digest} || exit 1`,
  );
}

async function ownMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Of all child processes of one shell, whose `times` says it to the millisecond. */
async function notationMs(home: string, lines: readonly string[]): Promise<number> {
  const script = join(folder, 'script.sh');
  await writeFile(script, `exec 3>&1 >/dev/null 2>&1\n${lines.join('\n')}\ntimes >&3\n`);
  const env = { HOME: home, XDG_CONFIG_HOME: home, NOTATION: notation };
  const output = await mustRun('bash', [script], { env });
  const [, children = ''] = output.trim().split('\n');
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  if (seconds.length !== 2) throw new Error(`the shell said ${output}`);
  return seconds.reduce((sum, each) => sum + each, 0) * 1000;
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
