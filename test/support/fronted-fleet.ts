import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { freePort, listening, startProcess } from '../interop/support/process.ts';
import { signatureOf, writeConfiguration } from './app-kit.ts';
import type { Artifact } from './build-image.ts';
import { writeNginxFront } from './nginx-front.ts';
import { hasRedis, startRedis } from './redis-server.ts';
import { redisAt, stateKey } from './replicas-kit.ts';
import { requireTool } from './require-tool.ts';
import { startS3 } from './s3-server.ts';
import { openScriptedRegistry, type ScriptedRegistry } from './scripted-registry.ts';
import type { SeenRequest } from './scripted-upstream.ts';
import { type ServeProcess, startServe } from './serve-process.ts';
import { makeServerCertificate } from './server-certificate.ts';

/** Replicas in processes of their own behind nginx, with Redis and a bucket in common. */
export interface FrontedFleet {
  /** Of nginx. */
  readonly origin: string;
  readonly ca: string;
  readonly registry: ScriptedRegistry;
  /** Puts a signed image there. */
  put(repository: string, artifact: Artifact, tag: string): void;
  /** Those that run, or ran last. */
  readonly replicas: readonly ServeProcess[];
  /** Which replica has sent the request to the registry. */
  askedBy(request: SeenRequest): number;
  /** kill -9, and once more from the beginning; resolves when it listens. */
  restart(replica: number): Promise<void>;
  /** Which replicas answered each client, by its address, as nginx has written so far. */
  answeredBy(): ReadonlyMap<string, ReadonlySet<string>>;
}

/** The client, and the last replica that nginx has tried. */
const logged = /^(\S+) \[.*s (?:\S+, )*(127\.0\.0\.1:\d+) \S+ "[^"]*"$/gm;
const tls = makeServerCertificate();

/** Undefined where a tool is missing; ended with the test. */
export async function openFrontedFleet(
  t: Test,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<FrontedFleet | undefined> {
  const nginx = requireTool(t, 'nginx');
  const s3 = await startS3(t);
  if (nginx === undefined || s3 === undefined || !hasRedis(t)) return undefined;
  const redis = await startRedis(t);
  // Each replica has a name of its own for it, by which we know who asks.
  const registry = await openScriptedRegistry(t, { host: '0.0.0.0' });
  const file = writeConfiguration(t, {
    upstreams: { reg: registry.origin },
    config: {
      state: { keys: [stateKey] },
      redis: redisAt(redis),
      storage: { s3: s3.configuration },
    },
  });
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  const files = ports.map((port, replica) => writeReplica(file, replica, port, registry.port));
  const replicas = await Promise.all(files.map((each) => startServe(t, each)));

  const port = await freePort();
  const folder = join(t.testdirName, 'nginx');
  const words = writeNginxFront({ folder, port, replicas: ports, tls, connections });
  await listening(startProcess(t, nginx, words), port);
  return {
    origin: `https://127.0.0.1:${port}`,
    ca: tls.ca,
    registry,
    put(repository, artifact, tag) {
      registry.put(repository, artifact, tag);
      registry.put(repository, signatureOf(artifact.descriptor));
    },
    replicas,
    askedBy: ({ headers }) => Number(/^127\.0\.0\.(\d+):/.exec(headers.host ?? '')?.[1]) - 1,
    async restart(replica) {
      await replicas[replica]!.kill();
      replicas[replica] = await startServe(t, files[replica]!);
    },
    answeredBy() {
      const text = readFileSync(join(folder, 'access.log'), 'utf8');
      const answered = new Map<string, Set<string>>();
      for (const [, client = '', replica = ''] of text.matchAll(logged)) {
        answered.set(client, (answered.get(client) ?? new Set()).add(replica));
      }
      return answered;
    },
  };
}

function writeReplica(file: string, replica: number, port: number, upstream: number): string {
  const config = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly upstreams: { readonly reg: object };
    readonly storage: object;
  };
  const reg = { ...config.upstreams.reg, url: `http://127.0.0.${replica + 1}:${upstream}` };
  const own = join(dirname(file), `replica-${replica}.yaml`);
  const differs = {
    listen: { host: '127.0.0.1', port, trustedProxies: ['127.0.0.1/32'] },
    upstreams: { reg },
    storage: { ...config.storage, path: `./data-${replica}` },
  };
  writeFileSync(own, JSON.stringify({ ...config, ...differs }));
  return own;
}
