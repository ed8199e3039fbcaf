import { redisName } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { releaseScript, takeScript } from './redis-scripts.ts';
import type { SharedLease, SharedLeases } from './shared-leases.ts';

export function makeRedisLeases(link: RedisLink, keyPrefix: string): SharedLeases {
  return {
    async take(name, forMs): Promise<SharedLease | undefined> {
      const lease = redisName(keyPrefix, 'lease', name);
      const counter = redisName(keyPrefix, 'lease-count', name);
      const reply = await link.send('lease', 'EVAL', [takeScript, 2, lease, counter, forMs]);
      const token = Number(reply);
      if (token === 0) return undefined;
      return {
        token,
        release: async () => {
          // It ends by itself where this fails.
          await link.send('lease', 'EVAL', [releaseScript, 1, lease, token]).catch(() => undefined);
        },
      };
    },
  };
}
