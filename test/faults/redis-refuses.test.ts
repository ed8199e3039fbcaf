import t, { type Test } from 'tap';
import {
  makeFaultKit,
  recovers,
  refusesUnsigned,
  servesAll,
  signed,
  statusOf,
} from '../support/redis-fault-kit.ts';
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { redisAt } from '../support/replicas-kit.ts';

/** Redis answers, and does not do what it is asked. */

interface Refusal {
  begin(redis: RedisServer, t: Test): Promise<unknown>;
  end(redis: RedisServer): Promise<unknown>;
}

const refusals: Readonly<Record<string, Refusal>> = {
  'Redis has no memory left': {
    begin: (redis) => redis.cli('CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => redis.cli('CONFIG', 'SET', 'maxmemory', '0'),
  },
  'Redis became a replica that takes no writes': {
    begin: async (redis, t) => {
      const master = await startRedis(t);
      await redis.cli('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
      await redis.cli('REPLICAOF', '127.0.0.1', String(master.port));
      await master.kill();
    },
    end: (redis) => redis.cli('REPLICAOF', 'NO', 'ONE'),
  },
  'Redis asks for another password': {
    begin: async (redis) => {
      await redis.cli('CONFIG', 'SET', 'requirepass', 'changed');
      await redis.cli('-a', 'changed', '--no-auth-warning', 'CLIENT', 'KILL', 'TYPE', 'normal');
    },
    end: (redis) =>
      redis.cli('-a', 'changed', '--no-auth-warning', 'CONFIG', 'SET', 'requirepass', ''),
  },
  'Redis allows the user nothing': {
    begin: (redis) => redis.cli('ACL', 'SETUSER', 'default', '-@all', '+acl', '+ping'),
    end: (redis) => redis.cli('ACL', 'SETUSER', 'default', '+@all'),
  },
  'scripts of another keep Redis busy': {
    begin: async (redis) => {
      await redis.cli('CONFIG', 'SET', 'busy-reply-threshold', '1');
      void redis.cli('EVAL', 'while true do end', '0').catch(() => undefined);
    },
    end: (redis) => redis.cli('SCRIPT', 'KILL'),
  },
};

for (const [what, refusal] of Object.entries(refusals)) {
  t.test(`${what}: replicas go on by themselves, and together again afterwards`, async (t) => {
    if (!hasRedis(t)) return;
    const redis = await startRedis(t);
    const kit = await makeFaultKit(t, redisAt(redis), 2);
    const [first, second] = [kit.all[0]!, kit.all[1]!];
    await servesAll(t, first, 'signed', signed, 'before');
    await refusal.begin(redis, t);
    await servesAll(t, first, 'signed', signed, 'what it served, it serves');
    await servesAll(t, second, 'signed', signed, 'what the other one served');
    t.equal(await statusOf(second, 'reg/app/manifests/alone'), '200', 'what nobody served');
    await refusesUnsigned(t, kit.all, 'meanwhile');
    await refusal.end(redis);
    await recovers(t, kit, what);
  });
}
