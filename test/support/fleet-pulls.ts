import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { makeBarrier } from './barrier.ts';
import { type Artifact, buildImage, buildIndex, closureOf } from './build-image.ts';
import type { FrontedFleet } from './fronted-fleet.ts';
import { openPullingClient, type PullingClient } from './pulling-client.ts';
import { untilTrue } from './redis-server.ts';
import { fetchesOf } from './s3-fleet.ts';

const platforms = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
];

/** Two platforms, the first with the layers of these sizes, the second with small ones. */
export function buildFleetImage(name: string, layerSizes: readonly number[]): Artifact {
  const sizes = [layerSizes, [300_000, 70_000]];
  const children = platforms.map((platform, at) =>
    buildImage({ name: `${name}/${at}`, platform, layerSizes: sizes[at]! }),
  );
  return buildIndex({ name, children, platforms });
}

export interface FleetClients {
  readonly all: readonly PullingClient[];
  /** All pull it at once, every other one for the other platform: what went wrong, by client. */
  pull(repository: string, tag: string, image: Artifact): Promise<readonly string[]>;
  /** What they asked again for, in one line. */
  asked(): string;
}

/** So many, each with an address of its own; closed with the test. */
export function openFleetClients(
  t: Test,
  { origin, ca }: FrontedFleet,
  count: number,
  onReceived?: (digest: string, bytes: number) => void,
): FleetClients {
  const all = Array.from({ length: count }, (_, client) =>
    openPullingClient({
      origin,
      ca,
      address: `127.1.${client >> 7}.${(client & 127) + 1}`,
      ...(onReceived && { onReceived }),
    }),
  );
  t.teardown(() => {
    for (const client of all) client.close();
  });
  return {
    all,
    async pull(repository, tag, image) {
      const pulls = all.map((client, at) => client.pull(repository, tag, image, at % 2));
      const outcomes = await Promise.allSettled(pulls);
      return outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    },
    asked() {
      const sums = new Map<string, number>();
      for (const { again } of all) {
        for (const [why, times] of again) sums.set(why, (sums.get(why) ?? 0) + times);
      }
      return [...sums].map(([why, times]) => `${times} x ${why}`).join(', ') || 'nothing';
    },
  };
}

/** Everybody gets one image that no replica has: once from upstream, and from all replicas. */
export async function checkColdPull(
  t: Test,
  fleet: FrontedFleet,
  image: Artifact,
  count: number,
): Promise<void> {
  fleet.put('app', image, '1.0');
  const clients = openFleetClients(t, fleet, count);
  const began = performance.now();
  t.strictSame(await clients.pull('reg/app', '1.0', image), [], 'each gets all of it');
  t.comment(`${count} clients: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  t.equal(clients.asked(), 'nothing', 'at the first attempt');
  const fetches = fetchesOf(fleet.registry);
  const { manifests, blobs } = closureOf(image);
  for (const { descriptor } of [...manifests, ...blobs]) {
    t.equal(fetches.get(descriptor.digest), 1, `${descriptor.mediaType} once in all`);
  }
  const others = [...fetches].filter(([, times]) => times !== 1);
  t.strictSame(others, [], 'and so its signature');
  // nginx writes after the last byte.
  await untilTrue(() => fleet.answeredBy().size === count);
  const spread = [...fleet.answeredBy().values()].map((replicas) => replicas.size);
  const several = spread.filter((replicas) => replicas > 1).length;
  t.ok(several > count / 2, `${several} of ${count} clients were answered by several replicas`);
  t.ok(spread.includes(fleet.replicas.length), 'and some by all of them');
}

export interface Killing {
  readonly clients: number;
  /** One replica in turn so often, but no sooner than the one before listens again. */
  readonly everyMs: number;
  /** All clients pull images that nobody has until there were so many kills. */
  readonly kills: number;
  readonly layerSizes: readonly number[];
}

/** kill -9 of a replica every few seconds, while all clients pull one image after the other. */
export async function checkPullsThroughKills(
  t: Test,
  fleet: FrontedFleet,
  { clients: count, everyMs, kills, layerSizes }: Killing,
): Promise<void> {
  const clients = openFleetClients(t, fleet, count);
  actAsFar(fleet.registry);
  const before = fetchesOf(fleet.registry);
  const began = performance.now();
  const killing = killInTurn(fleet, everyMs, kills);
  let images = 0;
  let wrong: readonly string[] = [];
  do {
    images += 1;
    const image = buildFleetImage(`killed/${began}/${images}`, layerSizes);
    fleet.put('app', image, `killed-${images}`);
    wrong = await clients.pull('reg/app', `killed-${images}`, image);
  } while (killing.goesOn() && wrong.length === 0);
  await killing.ended;
  t.strictSame(wrong, [], 'everybody gets all of every image, and nothing wrong');
  const fetched = [...fetchesOf(fleet.registry)].filter(([digest]) => !before.has(digest));
  const again = fetched.filter(([, times]) => times > 1);
  const extra = again.reduce((sum, [, times]) => sum + times - 1, 0);
  // Whoever is killed has everything of one image under way at most.
  t.ok(extra <= (kills * fetched.length) / images, 'only what was under way is fetched again');
  t.comment(
    `${count} clients, ${images} images, ${kills} kills,` +
      ` ${((performance.now() - began) / 1000).toFixed(0)} s;` +
      ` ${again.length} of ${fetched.length} digests fetched again, ${extra} times in all;` +
      ` asked again for: ${clients.asked()}`,
  );
}

function killInTurn(
  { replicas, restart }: FrontedFleet,
  everyMs: number,
  kills: number,
): { readonly goesOn: () => boolean; readonly ended: Promise<void> } {
  let killed = 0;
  const run = async (): Promise<void> => {
    for (; killed < kills; killed += 1) {
      await pause(everyMs);
      await restart(killed % replicas.length);
    }
  };
  return { goesOn: () => killed < kills, ended: run() };
}

const roundTripMs = 50;
/** 2.5 MiB/s. */
const pieceMs = 25;

/** Answers come after the way there and back, and content no faster than a line has it. */
function actAsFar(registry: FrontedFleet['registry']): void {
  const after = { ...makeBarrier(), pass: () => pause(roundTripMs) };
  registry.setFault((_request, answer) => ({ ...answer, after, pace: () => pause(pieceMs) }));
}
