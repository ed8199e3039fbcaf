import t from 'tap';
import {
  another,
  makeFaultKit,
  recovers,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from '../support/redis-fault-kit.ts';
import {
  freePort,
  hasRedis,
  type RedisServer,
  startRedis,
  untilTrue,
} from '../support/redis-server.ts';
import { isUp, pathsOf, redisAt } from '../support/replicas-kit.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** Redis is not there, or as good as not there: each replica goes on by itself. */

interface Fault {
  begin(redis: RedisServer, proxy: TcpProxy): unknown;
  end(redis: RedisServer, proxy: TcpProxy): unknown;
}

const faults: Readonly<Record<string, Fault>> = {
  'Redis is killed, and comes back empty': {
    begin: (redis) => redis.kill(),
    end: (redis) => redis.start(),
  },
  'Redis hangs': {
    begin: (redis) => redis.signal('SIGSTOP'),
    end: (redis) => redis.signal('SIGCONT'),
  },
  'Redis answers half a second late': {
    begin: (_, proxy) => proxy.delayMs(500),
    end: (_, proxy) => proxy.delayMs(0),
  },
  'the network swallows everything': {
    begin: (_, proxy) => proxy.swallow(true),
    end: (_, proxy) => proxy.swallow(false),
  },
};

for (const [what, fault] of Object.entries(faults)) {
  t.test(`${what}: replicas go on by themselves, and together again afterwards`, async (t) => {
    if (!hasRedis(t)) return;
    const redis = await startRedis(t);
    const proxy = await startTcpProxy(t, redis.port);
    const kit = await makeFaultKit(t, redisAt(proxy), 3);
    const [first, second, third] = [kit.all[0]!, kit.all[1]!, kit.all[2]!];
    await servesAll(t, first, 'signed', signed, 'before');
    await fault.begin(redis, proxy);
    await servesAll(t, first, 'signed', signed, 'what it served, it serves');
    await servesAll(t, second, 'signed', signed, 'what it never saw, it verifies');
    // Whose part it is, nobody can say: neither no nor yes.
    const [, child] = pathsOf('reg/app', 'another', another);
    t.equal(await statusOf(third, child!), '503', 'a child of what it never saw');
    await refusesUnsigned(t, kit.all, 'meanwhile');
    await untilTrue(async () => !(await isUp(third)));
    const ready = await fetch(`${third.admin}/readyz`);
    t.match(await ready.text(), /redis.{1,20}ok.{1,10}true.*does not answer: this replica goes on/);
    t.equal(ready.status, 200, 'it stays in service');
    await fault.end(redis, proxy);
    await recovers(t, kit, what);
  });
}

t.test('Redis is down at the start: nothing is served before the deny list is known', async (t) => {
  if (!hasRedis(t)) return;
  const port = await freePort();
  const kit = await makeFaultKit(t, redisAt({ port }), 1);
  const [first] = [kit.all[0]!];
  t.equal(await statusOf(first, 'reg/app/manifests/signed'), '503');
  await refusesUnsigned(t, kit.all, 'meanwhile');
  t.equal((await fetch(`${first.admin}/readyz`)).status, 503);
  await startRedis(t, [], { port });
  await recovers(t, kit, 'down at the start');
});

t.test('Redis is down at a restart: every answer comes in time, and no wrong one', async (t) => {
  if (!hasRedis(t)) return;
  const redis = await startRedis(t);
  const kit = await makeFaultKit(t, redisAt(redis), 1);
  await redis.kill();
  const again = await kit.all[0]!.restarted();
  for (const path of pathsOf('reg/app', 'signed', signed)) {
    // Whether it goes on depends on whether it has a copy of the deny list.
    t.match(await statusOf(again, path), /^(?:200|503)$/, path);
  }
  await refusesUnsigned(t, [again], 'after the restart');
  await redis.start();
  await untilTrue(async () => (await statusOf(again, 'reg/app/manifests/signed')) === '200');
  await servesAll(t, again, 'signed', signed, 'with Redis again');
});
