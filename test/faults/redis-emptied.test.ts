import t, { type Test } from 'tap';
import {
  alone,
  another,
  type FaultKit,
  makeFaultKit,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from '../support/redis-fault-kit.ts';
import { hasRedis, type RedisServer, startRedis, untilTrue } from '../support/redis-server.ts';
import { isUp, metricOf, pathsOf, redisAt } from '../support/replicas-kit.ts';

/** Redis has forgotten what it was told. */

async function inTurn(t: Test, kit: FaultKit, what: string): Promise<void> {
  for (const [at, path] of pathsOf('reg/app', 'signed', signed).entries()) {
    const replica = kit.all[at % kit.all.length]!;
    const isServed = async (): Promise<boolean> => {
      const status = await statusOf(replica, path);
      t.notMatch(status, /^403/, `${what}: ${path} at replica ${at % kit.all.length}`);
      return status === '200';
    };
    await untilTrue(isServed, 45_000);
    t.pass(`${what}: ${path} is served`);
  }
}

const emptied: Readonly<Record<string, (redis: RedisServer) => Promise<unknown>>> = {
  'is flushed': (redis) => redis.cli('FLUSHALL'),
  'is killed and comes back empty': async (redis) => {
    await redis.kill();
    await redis.start();
  },
  'comes back as it was a moment ago': async (redis) => {
    await redis.cli('DEL', ...(await redis.cli('KEYS', '*')).split('\n').filter(isEntry));
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  },
};

const isEntry = (key: string): boolean => /verdict|part|unread/.test(key);

for (const [what, empty] of Object.entries(emptied)) {
  t.test(`Redis ${what}: replicas put back what they know, and deny nothing`, async (t) => {
    if (!hasRedis(t)) return;
    const redis = await startRedis(t);
    const kit = await makeFaultKit(t, redisAt(redis), 3);
    const [first] = [kit.all[0]!];
    // Hot in the first one's memory, and unknown to the others.
    await servesAll(t, first, 'signed', signed, 'before');
    const before = await metricOf(first, /^assay_verdicts_total\{kind="trusted"/);
    await empty(redis);
    await untilTrue(() => isUp(first));
    await untilTrue(async () => (await metricOf(first, /^assay_redis_losses_total/)) > 0);
    await inTurn(t, kit, what);
    const after = await metricOf(first, /^assay_verdicts_total\{kind="trusted"/);
    t.equal(after, before, 'nothing is verified again by whoever knew');
    await servesAll(t, kit.all[1]!, 'another', another, 'afterwards');
    t.equal(await statusOf(kit.all[2]!, `reg/app/manifests/${alone.descriptor.digest}`), '200');
    await refusesUnsigned(t, kit.all, 'afterwards');
  });
}
