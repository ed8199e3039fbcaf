import type { Test } from 'tap';
import {
  another,
  makeFaultKit,
  recovers,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from './redis-fault-kit.ts';
import { hasRedis, type RedisServer, startRedis, untilTrue } from './redis-server.ts';
import { isUp, pathsOf, redisAt } from './replicas-kit.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** What makes Redis as good as absent, and what ends that. */
export interface Fault {
  begin(redis: RedisServer, proxy: TcpProxy): unknown;
  end(redis: RedisServer, proxy: TcpProxy): unknown;
}

/** Each replica goes on by itself, and all of them together afterwards. */
export async function goesOnAlone(t: Test, what: string, fault: Fault): Promise<void> {
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
}
