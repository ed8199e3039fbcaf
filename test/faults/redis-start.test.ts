import t from 'tap';
import {
  makeFaultKit,
  recovers,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from '../support/redis-fault-kit.ts';
import { freePort, hasRedis, startRedis, untilTrue } from '../support/redis-server.ts';
import { redisAt } from '../support/replicas-kit.ts';

/** Redis is not there when a replica starts. */

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

t.test(
  'Redis is down at a restart: that nothing was denied is known, and it goes on',
  async (t) => {
    if (!hasRedis(t)) return;
    const redis = await startRedis(t);
    const kit = await makeFaultKit(t, redisAt(redis), 1);
    await redis.kill();
    const again = await kit.all[0]!.restarted();
    await servesAll(t, again, 'signed', signed, 'without Redis');
    await refusesUnsigned(t, [again], 'after the restart');
    await redis.start();
    await untilTrue(async () => (await statusOf(again, 'reg/app/manifests/signed')) === '200');
    await servesAll(t, again, 'signed', signed, 'with Redis again');
  },
);
