import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { signatureOf, writeConfiguration } from './app-kit.ts';
import { openBlobClient } from './blob-client.ts';
import { type Artifact, type BuiltBlob, buildImage } from './build-image.ts';
import { checkStore } from './check-store.ts';
import { mebibyte } from './content-kit.ts';
import { openScriptedRegistry, type ScriptedRegistry } from './scripted-registry.ts';
import { openSeed, type SeededRandom } from './seeded-random.ts';
import { type ServeProcess, spawnServe, startServe } from './serve-process.ts';

/** Upstream is at most so far ahead of the quickest client, so that buffers between hide little. */
const aheadBytes = 512 * 1024;
const maxFetchedAgain = 8 * mebibyte;
const clientsPerBlob = 3;

/**
 * Kills `assay serve` in the middle of cold pulls, again and again, at moments that the seed
 * chooses: by bytes that upstream has sent, after the last one, or while it starts. Each time the
 * store must be right as it lies there, the pull must succeed after the restart, and little may
 * be fetched twice.
 */
export async function runKillRounds(t: Test, rounds: number): Promise<void> {
  const random = openSeed(t);
  const registry = await openScriptedRegistry(t);
  const file = writeConfiguration(t, {
    upstreams: { reg: registry.origin },
    config: { storage: { path: './data', maxBytes: '256 MiB' } },
  });
  const data = join(t.testdirName, 'data');
  const again: number[] = [];
  let app = await startServe(t, file);
  for (let round = 0; round < rounds; round += 1) {
    await t.test(`round ${round}`, async (inner) => {
      const start = () => startServe(t, file);
      const ended = await runRound(inner, { round, random, registry, file, data, app, start });
      again.push(ended.fetchedAgain);
      app = ended.app;
    });
    if (!t.passing()) break;
  }
  const sorted = again.toSorted((a, b) => a - b);
  t.comment(
    `fetched again: median ${kibibytes(sorted[sorted.length >> 1])},` +
      ` at most ${kibibytes(sorted.at(-1))}`,
  );
}

function kibibytes(bytes = 0): string {
  return `${Math.round(bytes / 1024)} KiB`;
}

interface EndedRound {
  readonly fetchedAgain: number;
  /** The one that was started after the kill. */
  readonly app: ServeProcess;
}

interface Round {
  readonly round: number;
  readonly random: SeededRandom;
  readonly registry: ScriptedRegistry;
  readonly file: string;
  readonly data: string;
  readonly app: ServeProcess;
  /** Starts another one, which outlives the round. */
  readonly start: () => Promise<ServeProcess>;
}

async function runRound(t: Test, given: Round): Promise<EndedRound> {
  const { round, random, registry, file, data, app } = given;
  const repository = `app${round}`;
  const layerSizes = [
    random.between(9, 14) * mebibyte + random.between(0, 4096),
    random.between(1, 3 * mebibyte),
    random.between(0, 200_000),
  ];
  const image = buildImage({ name: `${random.seed}/${round}`, layerSizes });
  registry.put(repository, image, 'v1');
  registry.put(repository, signatureOf(image.descriptor));

  const total = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  // One in ten comes when all was sent: while it is made durable and put into its place.
  const killAtBytes = random.between(0, Math.floor(total * 1.1));
  const killDelayMs = random.between(0, 9) === 0 ? random.between(0, 30) : 0;
  const startKillMs = random.between(0, 3) === 0 ? random.between(0, 1200) : undefined;
  t.comment(`killed after ${Math.min(killAtBytes, total)} of ${total} bytes`);

  const life = watchLife(registry, killAtBytes, total);
  const pull = pullImage(t, app.oci, repository, image, life.received);
  await Promise.race([life.killMoment, pull]);
  if (killDelayMs > 0) await pause(killDelayMs);
  await app.kill();
  const before = await pull;
  t.ok(
    before.every(({ isRightSoFar }) => isRightSoFar),
    'nobody got a wrong byte',
  );
  registry.setFault(undefined);
  t.same((await checkStore(data)).complaints, [], 'what the killed one left is right');

  if (startKillMs !== undefined) {
    const starting = spawnServe(t, file);
    const gone = once(starting, 'exit');
    await pause(startKillMs);
    starting.kill('SIGKILL');
    await gone;
    t.same((await checkStore(data)).complaints, [], 'and what one killed at its start left');
  }

  const sentBefore = life.sent();
  registry.setFault(undefined);
  const requestsBefore = registry.requests.length;
  const next = await given.start();
  const after = await pullImage(t, next.oci, repository, image);
  const whole = after.filter(({ isWhole }) => isWhole).length;
  t.equal(whole, image.blobs.length * clientsPerBlob, 'after the restart everything comes');
  let fetchedAgain = 0;
  for (const request of registry.requests.slice(requestsBefore)) {
    const digest = request.path.split('/').at(-1) ?? '';
    if (request.method !== 'GET' || !request.path.includes('/blobs/')) continue;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    fetchedAgain += Math.max(0, (sentBefore.get(digest) ?? 0) - start);
  }
  t.ok(fetchedAgain <= maxFetchedAgain, `${kibibytes(fetchedAgain)} were fetched again`);
  const { complaints } = await checkStore(data);
  t.same(complaints, [], 'in the end the store is right');
  registry.forget(repository);
  return { fetchedAgain, app: next };
}

interface Life {
  /** Resolves when upstream has sent so many bytes of blobs. */
  readonly killMoment: Promise<void>;
  /** Tells how far a client of the blob is. */
  readonly received: (digest: string, bytes: number) => void;
  /** How far upstream got, by digest. */
  readonly sent: () => ReadonlyMap<string, number>;
}

/** Has the registry send blobs no faster than clients take them, and counts. */
function watchLife(registry: ScriptedRegistry, killAtBytes: number, total: number): Life {
  const killMoment = Promise.withResolvers<void>();
  const sent = new Map<string, number>();
  const received = new Map<string, number>();
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const all = waiting;
    waiting = [];
    for (const each of all) each();
  };
  const note = (digest: string, bytes: number): void => {
    sent.set(digest, Math.max(bytes, sent.get(digest) ?? 0));
    const all = [...sent.values()].reduce((sum, each) => sum + each, 0);
    if (all >= Math.min(killAtBytes, total)) killMoment.resolve();
  };
  registry.setFault(({ path, method, headers }, answer) => {
    const digest = path.split('/').at(-1) ?? '';
    if (method !== 'GET' || !path.includes('/blobs/')) return undefined;
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const size = start + (answer.body ?? '').length;
    return {
      ...answer,
      async pace(bytes) {
        const at = start + bytes;
        while (at > (received.get(digest) ?? 0) + aheadBytes) {
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
        note(digest, Math.min(size, at + 64 * 1024));
      },
    };
  });
  return {
    killMoment: killMoment.promise,
    received(digest, bytes) {
      if (bytes <= (received.get(digest) ?? 0)) return;
      received.set(digest, bytes);
      wake();
    },
    sent: () => sent,
  };
}

interface PulledBlob {
  readonly isWhole: boolean;
  readonly isRightSoFar: boolean;
}

/** As several clients at once; what fails is part of the answer. */
async function pullImage(
  t: Test,
  oci: string,
  repository: string,
  image: Artifact,
  onReceived?: Life['received'],
): Promise<readonly PulledBlob[]> {
  const headers = { accept: manifestMediaTypes.join(', ') };
  const manifest = await fetch(`${oci}/v2/reg/${repository}/manifests/v1`, { headers }).then(
    async (answer) => answer.ok && Buffer.from(await answer.arrayBuffer()).equals(image.bytes),
    () => false,
  );
  if (!manifest) return [];
  const pulls = image.blobs.flatMap((blob) =>
    Array.from({ length: clientsPerBlob }, () => pullBlob(t, oci, repository, blob, onReceived)),
  );
  return Promise.all(pulls);
}

async function pullBlob(
  t: Test,
  oci: string,
  repository: string,
  { descriptor, bytes }: BuiltBlob,
  onReceived: Life['received'] = () => undefined,
): Promise<PulledBlob> {
  const path = `/v2/reg/${repository}/blobs/${descriptor.digest}`;
  const outcome = await openBlobClient(t, oci, path, {
    expected: bytes,
    onReceived: (received) => onReceived(descriptor.digest, received),
  }).ended;
  const { status, isComplete, isRightSoFar } = outcome;
  const isRight = status !== 200 || isRightSoFar;
  return { isWhole: status === 200 && isComplete && isRightSoFar, isRightSoFar: isRight };
}
