import { redisName } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { releaseScript, renewScript, takeScript } from './redis-scripts.ts';
import type { SharedLease, SharedLeases } from './shared-leases.ts';
import { stateSchema } from './state-schema.ts';

/** Replicas of another schema leave nothing that is worth waiting for, and have leases of their own. */
export function makeRedisLeases(
  link: RedisLink,
  keyPrefix: string,
  schema = stateSchema,
): SharedLeases {
  return {
    async take(name, forMs): Promise<SharedLease | undefined> {
      const lease = redisName(keyPrefix, 'lease', name, schema);
      const counter = redisName(keyPrefix, 'lease-count', name, schema);
      const reply = await link.send('lease', 'EVAL', [takeScript, 2, lease, counter, forMs]);
      const token = Number(reply);
      if (token === 0) return undefined;
      return {
        token,
        renew: async (ms) => {
          const words = [renewScript, 1, lease, token, ms];
          await link.send('lease', 'EVAL', words).catch(() => undefined);
        },
        release: async () => {
          // It ends by itself where this fails.
          await link.send('lease', 'EVAL', [releaseScript, 1, lease, token]).catch(() => undefined);
        },
      };
    },
  };
}
