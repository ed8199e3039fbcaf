import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { composeApp } from '../../src/compose/app.ts';
import { openRedisState } from '../../src/compose/redis-state.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { type AppKit, signatureOf, startAt, stranger, writeConfiguration } from './app-kit.ts';
import type { Artifact } from './build-image.ts';
import { startFakeRegistry } from './fake-registry.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { redisAt, stateKey } from './replicas-kit.ts';
import { makePinoLog } from '../../src/observe/pino-log.ts';
import { makeCountingMetrics, makeKeptLog } from './silence.ts';

/** Of the admin API, of those that keep their state under another schema. */
export const adminToken = 't'.repeat(32);

/** In what one replica differs from the others. */
export interface ReplicaWish {
  /** Members of its trust policy, in place of the others'. */
  readonly policy?: object;
  readonly trustStore?: string;
  readonly clock?: Clock;
}

/** Replicas that share a Redis, each with a policy and a storage of its own. */
export interface SafetyKit {
  readonly redis: RedisServer;
  start(name: string, wish?: ReplicaWish): Promise<AppKit>;
  /** Writes another policy for a replica. */
  writePolicy(name: string, policy: object): void;
  config(name: string, wish?: ReplicaWish): Promise<Config>;
  /** One that keeps its state under another schema. */
  startOfSchema(name: string, schema: number): Promise<Pick<AppKit, 'app' | 'oci' | 'admin'>>;
}

/** With these images in a registry, signed by acme. */
export async function makeSafetyKit(
  t: Test,
  images: Readonly<Record<string, Artifact>>,
): Promise<SafetyKit> {
  const redis = await startRedis(t);
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  for (const [tag, image] of Object.entries(images)) {
    registry.put('app', image, tag);
    registry.put('app', signatureOf(image.descriptor));
  }
  const others = { x509: { ca: { acme: { 'acme.pem': stranger.root.pem } } } };
  const file = writeConfiguration(t, {
    upstreams: { reg: registry.url },
    config: { state: { keys: [stateKey] }, redis: redisAt(redis) },
    files: { strangers: others as never },
  });
  const folder = dirname(file);
  const readJson = (name: string) =>
    JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
  const writePolicy = (name: string, policy: object): void => {
    const text = JSON.stringify({ ...readJson('policy.yaml'), ...policy });
    writeFileSync(join(folder, `policy-${name}.yaml`), text);
  };
  const fileOf = (name: string, { policy = {}, trustStore = './trust' }: ReplicaWish): string => {
    writePolicy(name, policy);
    const own = {
      storage: { path: `./data-${name}` },
      trustPolicy: `./policy-${name}.yaml`,
      trust: { store: trustStore },
    };
    writeFileSync(
      join(folder, `${name}.yaml`),
      JSON.stringify({ ...readJson('assay.yaml'), ...own }),
    );
    return join(folder, `${name}.yaml`);
  };
  return {
    redis,
    writePolicy,
    start: (name, wish = {}) => startAt(t, fileOf(name, wish), wish.clock),
    config: (name, wish = {}) => loadConfig(fileOf(name, wish)),
    async startOfSchema(name, schema) {
      const config = await loadConfig(fileOf(name, {}));
      const opened = new AsyncDisposableStack();
      const observed = { clock: systemClock, metrics: makeCountingMetrics(), log: makeKeptLog() };
      const shared = await openRedisState(config.redis!, observed, opened, schema);
      const log = makePinoLog({ level: 'silent' });
      const admin = {
        ...config.admin,
        token: { ...config.state!.keys[0]!, reveal: () => adminToken },
      };
      const app = await composeApp({ ...config, admin }, { shared, log });
      t.teardown(async () => {
        app.destroyConnections();
        await app.close();
        await opened.disposeAsync();
      });
      return { app, ...(await app.listen()) };
    },
  };
}
