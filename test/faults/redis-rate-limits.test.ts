import t, { type Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FakeClock, makeFakeClock } from '../support/fake-clock.ts';
import { hasRedis, type RedisServer, startRedis, untilTrue } from '../support/redis-server.ts';
import { isUp, metricOf, redisAt, startReplicas } from '../support/replicas-kit.ts';
import type { Replicas } from '../support/replicas-kit.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

/** What an upstream allows it allows all replicas together. */

const images = Object.fromEntries(
  ['one', 'two', 'three'].map((name) => [name, buildImage({ name })] as const),
);

interface Kit extends Replicas {
  readonly redis: RedisServer;
  readonly registry: ScriptedRegistry;
  readonly clock: FakeClock;
}

async function open(t: Test): Promise<Kit> {
  const registry = await openScriptedRegistry(t);
  for (const [tag, image] of Object.entries(images)) {
    registry.put('app', image, tag);
    registry.put('app', signatureOf(image.descriptor));
  }
  const redis = await startRedis(t);
  // As Redis's: a replica whose clock is off writes nothing that others read.
  const clock = makeFakeClock(systemClock.now().toISOString());
  const replicas = await startReplicas(t, 2, {
    upstreams: { reg: registry.origin },
    redis: redisAt(redis),
    clock,
    config: { lifetimes: { tag: '10s' } },
  });
  return { ...replicas, redis, registry, clock };
}

/** Everything is 429 from now on. */
function refuse({ registry }: Kit): void {
  registry.setFault(() => ({ status: 429, headers: { 'retry-after': '30' } }));
}

const rates = /^assay_upstream_unasked_total\{.*because="rate-limit"/;

t.test('a replica that was told to wait makes the others wait too', async (t) => {
  if (!hasRedis(t)) return;
  const kit = await open(t);
  const { all, registry, clock, redis } = kit;
  refuse(kit);
  const first = await all[0]!.ask('reg/app/manifests/one');
  t.equal(first.status, 503, '429 of an upstream is none of ours');
  t.equal(first.headers.get('retry-after'), '30');
  await untilTrue(async () => (await redis.cli('KEYS', '*rate/reg*')) !== '');
  const asked = registry.requests.length;
  clock.advanceMs(1_000);
  const second = await all[1]!.ask('reg/app/manifests/two');
  t.equal(second.status, 503);
  t.equal(second.headers.get('retry-after'), '29');
  t.equal(registry.requests.length, asked, 'upstream is not asked');
  t.equal(await metricOf(all[1]!, rates), 1);
  registry.setFault(undefined);
  clock.advanceMs(29_000);
  t.equal((await all[1]!.ask('reg/app/manifests/two')).status, 200);
});

t.test('with little left tags are served as they were, and what is new is asked for', async (t) => {
  if (!hasRedis(t)) return;
  const { all, registry, clock, redis } = await open(t);
  registry.setFault((_request, answer) =>
    'status' in answer
      ? { ...answer, headers: { ...answer.headers, 'ratelimit-remaining': '5;w=21600' } }
      : undefined,
  );
  const [first, second] = [all[0]!, all[1]!];
  t.equal((await first.ask('reg/app/manifests/one')).status, 200);
  await untilTrue(async () => (await redis.cli('KEYS', '*rate/reg*')) !== '');
  registry.put('app', images['three']!, 'one');
  // What counts was said when a new image was asked for, a moment after the tag.
  clock.advanceMs(5_000);
  t.equal((await first.ask('reg/app/manifests/two')).status, 200);
  clock.advanceMs(6_000);
  const heads = registry.seen('/v2/app/manifests/one').length;
  const stale = await second.ask('reg/app/manifests/one');
  t.equal(stale.status, 200);
  t.equal(stale.headers.get('docker-content-digest'), images['one']!.descriptor.digest);
  t.match(stale.headers.get('warning'), /may have moved/);
  t.equal(registry.seen('/v2/app/manifests/one').length, heads, 'it was not asked for');
  t.equal(await metricOf(second, /^assay_upstream_rate_limit_remaining/), 5);
  t.equal((await second.ask('reg/app/manifests/three')).status, 200);
  registry.setFault(undefined);
  clock.advanceMs(60_000);
  const moved = await second.ask('reg/app/manifests/one');
  t.equal(moved.headers.get('docker-content-digest'), images['three']!.descriptor.digest);
});

t.test('without Redis each replica goes by what it was told itself', async (t) => {
  if (!hasRedis(t)) return;
  const kit = await open(t);
  const { all, registry, clock, redis } = kit;
  refuse(kit);
  await redis.kill();
  t.equal((await all[0]!.ask('reg/app/manifests/one')).status, 503);
  const asked = registry.requests.length;
  clock.advanceMs(1_000);
  t.equal((await all[0]!.ask('reg/app/manifests/two')).status, 503);
  t.equal(registry.requests.length, asked, 'the one that was told waits');
  registry.setFault(undefined);
  t.equal((await all[1]!.ask('reg/app/manifests/two')).status, 200, 'the other one asks');
  await redis.start();
  for (const each of all) await untilTrue(() => isUp(each));
  clock.advanceMs(1_000);
  t.equal((await all[0]!.ask('reg/app/manifests/one')).status, 503, 'and waits on afterwards');
});
