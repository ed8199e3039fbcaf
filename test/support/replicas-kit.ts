import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { type AppKit, type AppOptions, startAt, writeConfiguration } from './app-kit.ts';
import type { Artifact } from './build-image.ts';
import { type RedisServer, untilTrue } from './redis-server.ts';

export interface ReplicasOptions extends AppOptions {
  /** What stands under `redis` in the configuration. */
  readonly redis: object;
}

/** Replicas with state in common and storage of their own; closed with the test. */
export interface Replicas {
  readonly all: readonly AppKit[];
  /** One more, which knows nothing. */
  add(): Promise<AppKit>;
}

export const stateKey = 'a key that all replicas of a test have';

export async function startReplicas(
  t: Test,
  count: number,
  { redis, clock, ...options }: ReplicasOptions,
): Promise<Replicas> {
  const file = writeConfiguration(t, {
    ...options,
    config: { state: { keys: [stateKey] }, ...options.config, redis },
  });
  const all: AppKit[] = [];
  const add = async (): Promise<AppKit> => {
    const replica = await startAt(t, fileOfReplica(file, all.length), clock);
    all.push(replica);
    return replica;
  };
  for (let index = 0; index < count; index += 1) await add();
  return { all, add };
}

function fileOfReplica(file: string, index: number): string {
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const own = join(dirname(file), `replica-${index}.yaml`);
  const storage = { ...(config['storage'] as object), path: `./data-${index}` };
  writeFileSync(own, JSON.stringify({ ...config, storage }));
  return own;
}

/** The configuration of a server on this machine. */
export function redisAt({ port }: Pick<RedisServer, 'port'>): object {
  return { url: `redis://127.0.0.1:${port}` };
}

/** Everything that a client asks for of an image with platforms, the index by its tag first. */
export function pathsOf(repository: string, tag: string, index: Artifact): readonly string[] {
  const children = index.children.flatMap((child) => [
    `${repository}/manifests/${child.descriptor.digest}`,
    ...child.blobs.map((blob) => `${repository}/blobs/${blob.descriptor.digest}`),
  ]);
  return [`${repository}/manifests/${tag}`, ...children];
}

/** The number of a metric on a replica's page; 0 where it is not there. */
export async function metricOf(replica: AppKit, pattern: RegExp): Promise<number> {
  const lines = (await replica.metrics()).split('\n').filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Whether the replica finds that Redis answers. */
export async function isUp(replica: AppKit): Promise<boolean> {
  return (await metricOf(replica, /^assay_redis_up /)) === 1;
}

export async function untilUp(...replicas: readonly AppKit[]): Promise<void> {
  for (const replica of replicas) await untilTrue(() => isUp(replica));
}
