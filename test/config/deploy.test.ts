import { access, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { loadBasis } from '../../src/compose/load-basis.ts';
import { shutdownTiming } from '../../src/compose/shutdown.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { lintTrustPolicy } from '../../src/policies/lint.ts';
import { loadTrustPolicy } from '../../src/policies/trust-policy.ts';
import { serverLimits } from '../../src/routes/limits.ts';
import { onlyOne, readDockerfile, type Stage } from '../support/dockerfile.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');
const read = (...names: readonly string[]): Promise<string> =>
  readFile(join(deploy, ...names), 'utf8');

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, object>>;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly command?: readonly string[];
}

interface Network {
  readonly internal?: boolean;
  readonly ipam?: { readonly config: readonly { readonly subnet: string }[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, object>>;
}

const compose = parse(await read('compose.yaml'), { merge: true }) as Compose;
const nginx = await read('nginx', 'nginx.conf');
const dockerfile = readDockerfile(await readFile(join(deploy, '..', 'Dockerfile'), 'utf8'));
const replicas = Object.keys(compose.services).filter((name) => name.startsWith('assay'));
/** What the operator makes; docs/operations.md says how. */
const made = ['./assay/secrets/redis.password', './nginx/tls'];

/** The configuration of deploy/assay, with secrets beside it as an operator makes them. */
async function loadDeployed(t: Test, name = 'assay.yaml'): Promise<Config> {
  const folder = join(t.testdir(), 'assay');
  await cp(join(deploy, 'assay'), folder, {
    recursive: true,
    filter: (from) => !from.endsWith('secrets'),
  });
  await mkdir(join(folder, 'secrets'));
  await writeFile(join(folder, 'secrets', 'redis.password'), 'of Redis\n');
  await writeFile(join(folder, 'secrets', 'state.key'), `${'0123456789abcdef'.repeat(4)}\n`);
  await writeFile(join(folder, 'secrets', 's3.key'), 'of the bucket\n');
  return loadConfig(join(folder, name), { environment: {} });
}

const mountsOf = ({ volumes = [] }: Service): readonly (readonly [string, string])[] =>
  volumes.map((volume) => volume.split(':').slice(0, 2) as [string, string]);

t.test('the configuration of the replicas loads, with its policy', async (t) => {
  const config = await loadDeployed(t);
  const { problems } = await loadBasis(config, async () => undefined);
  t.same(problems, []);
  const text = await read('assay', 'trust-policy.yaml');
  const policy = await loadTrustPolicy(text, 'trust-policy.yaml', async () => '');
  t.ok(policy.rules.length > 0);
  t.same(lintTrustPolicy(policy, { at: new Date('2026-11-01T00:00:00Z') }), []);
});

t.test('everything that the compose file refers to is there', async (t) => {
  t.ok(replicas.length >= 2, replicas.join(', '));
  for (const [name, service] of Object.entries(compose.services)) {
    for (const [source] of mountsOf(service)) {
      if (!source.startsWith('.')) t.ok(source in compose.volumes, `${name}: volume ${source}`);
      else if (!made.includes(source)) await t.resolves(access(join(deploy, source)), source);
    }
    for (const network of service.networks ?? []) {
      t.ok(network in compose.networks, `${name}: network ${network}`);
    }
    const needed = service.depends_on ?? [];
    for (const other of Array.isArray(needed) ? needed : Object.keys(needed)) {
      t.ok(other in compose.services, `${name} depends on ${other}`);
    }
    t.match(service.image, /:[\w.-]+$/, `${name} has an image of a stated version`);
  }
  await t.resolves(access(join(deploy, compose.services[replicas[0]!]!.build!, 'Dockerfile')));
});

t.test('what the files say of each other fits', async (t) => {
  const config = await loadDeployed(t);
  const last = dockerfile.at(-1) as Stage;
  const command = JSON.parse(onlyOne(last, 'CMD')) as readonly string[];
  for (const name of replicas) {
    const mounts = new Map(mountsOf(compose.services[name]!).map(([from, at]) => [at, from]));
    t.equal(mounts.get(dirname(command.at(-1)!)), './assay', 'where the image looks');
    t.match(mounts.get(onlyOne(last, 'VOLUME')), /^content-\d$/, 'storage of its own');
  }
  t.equal(config.storage.path, onlyOne(last, 'VOLUME'));
  const storages = replicas.map((name) => compose.services[name]?.volumes?.at(-1));
  t.equal(new Set(storages).size, replicas.length, 'none is shared');
  const { redis } = config;
  const url = redis !== undefined && 'url' in redis ? redis.url : '';
  t.ok(new URL(url).hostname in compose.services, 'Redis is a service');
  const fronted = [...nginx.matchAll(/^\s*server (\S+?):(\d+)/gm)].map(([, name, port]) => [
    name,
    Number(port),
  ]);
  t.same(
    fronted,
    replicas.map((name) => [name, config.listen.port]),
    'nginx has all of them',
  );
  const always = [...nginx.matchAll(/^\s*server \S+ max_fails=0;$/gm)];
  t.equal(always.length, replicas.length, 'and asks all of them, whatever failed before');
  const scraped = parse(await read('prometheus', 'prometheus.yaml')) as {
    rule_files: readonly string[];
    scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[];
  };
  t.same(
    scraped.scrape_configs[0]?.static_configs[0]?.targets,
    replicas.map((name) => `${name}:${config.admin.port}`),
    'Prometheus too',
  );
  for (const file of scraped.rule_files) await t.resolves(access(join(deploy, 'prometheus', file)));
});

t.test('a bucket is added to the same replicas, and to nothing else of them', async (t) => {
  const { services, volumes } = parse(await read('compose.s3.yaml'), { merge: true }) as Compose;
  const { s3: bucket, ...changed } = services;
  t.same(Object.keys(changed), replicas);
  for (const { command = [], depends_on: needed = [] } of Object.values(changed)) {
    t.same(command.slice(0, 2), ['serve', '--config']);
    await t.resolves(read('assay', basename(command[2]!)), 'a file of the folder that is mounted');
    for (const name of needed as readonly string[])
      t.ok(name in { ...compose.services, ...services });
  }
  const [plain, shares] = [await loadDeployed(t), await loadDeployed(t, 'assay-s3.yaml')];
  const { s3, ...disk } = shares.storage;
  const others = JSON.stringify({ ...shares, storage: disk });
  t.equal(others, JSON.stringify(plain), 'as without it');
  const endpoint = new URL(s3!.endpoint);
  const line = bucket!.command!.join(' ');
  t.ok(endpoint.hostname in services, 'the endpoint is a service');
  t.ok(line.includes(`--port :${endpoint.port} `));
  t.ok(line.includes(`/bucket/${s3!.bucket} `), 'which has the bucket');
  t.ok(s3!.credentials !== 'search' && line.includes(`=${s3!.credentials.accessKeyId.reveal()} `));
  for (const [source] of mountsOf(bucket!)) {
    t.ok(source in volumes || source === './assay/secrets/s3.key', source);
  }
  t.same(bucket!.networks, ['state'], 'which nobody else reaches');
  t.match(bucket!.image, /:v[\d.]+$/);
});

t.test('limits of clients go by whom nginx names, and by nobody else', async (t) => {
  const { listen } = await loadDeployed(t);
  const subnets = compose.networks['replicas']?.ipam?.config.map(({ subnet }) => subnet);
  t.same(listen.trustedProxies, subnets);
  t.match(nginx, /^\s*proxy_set_header X-Forwarded-For \$remote_addr;$/m);
});

t.test('only nginx is reached from outside, and Redis by replicas alone', async (t) => {
  const reached = Object.entries(compose.services).filter(([, { ports = [] }]) =>
    ports.some((port) => !port.startsWith('127.0.0.1:')),
  );
  t.same(
    reached.map(([name]) => name),
    ['nginx'],
  );
  t.equal(compose.networks['state']?.internal, true);
  const near = Object.entries(compose.services).filter(([, { networks = [] }]) =>
    networks.includes('state'),
  );
  t.same(
    near.map(([name]) => name),
    [...replicas, 'redis'],
  );
  for (const name of replicas) t.equal(compose.services[name]?.read_only, true);
});

/** Seconds of the directive, each time that it stands there. */
function secondsOf(directive: string, text = nginx): readonly number[] {
  const found = [...text.matchAll(new RegExp(`^\\s*${directive}[ =](\\d+)s?;?$`, 'gm'))];
  if (found.length === 0) throw new Error(`${directive} is not there`);
  return found.map(([, seconds]) => Number(seconds));
}

t.test('nginx waits longer than Assay does, and keeps connections for less', (t) => {
  const [readTimeout = 0] = secondsOf('proxy_read_timeout');
  t.ok(readTimeout * 1000 > serverLimits.answerDeadlineMs);
  t.ok(readTimeout * 1000 > serverLimits.idleTimeoutMs);
  t.ok(secondsOf('send_timeout')[0]! * 1000 > serverLimits.slowReader.intervalMs);
  const [kept = 0] = secondsOf('keepalive_timeout');
  t.ok(kept * 1000 < serverLimits.keepAliveTimeoutMs, 'towards Assay, which stands first');
  t.end();
});

t.test('whoever stops Assay waits until answers under way may be cut', async (t) => {
  const endMs = shutdownTiming.drainDelayMs + shutdownTiming.maxStreamsMs;
  for (const name of replicas) {
    const grace = /^(\d+)s$/.exec(compose.services[name]?.stop_grace_period ?? '')?.[1];
    t.ok(Number(grace) * 1000 > endMs);
  }
  const unit = await read('systemd', 'assay.service');
  t.ok(secondsOf('TimeoutStopSec', unit)[0]! * 1000 > endMs);
});
