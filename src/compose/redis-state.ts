import { isOfAllVersions, listedWith } from '../gate/listed-names.ts';
import { makeRedisKeyValue } from '../storage/redis-key-value.ts';
import { makeRedisLeases } from '../storage/redis-leases.ts';
import { watchRedisLife } from '../storage/redis-life.ts';
import { openRedisLink, type RedisLink } from '../storage/redis-link.ts';
import { readRedisTime, type RedisMemory, watchRedisMemory } from '../storage/redis-memory.ts';
import { openRedisNotifications } from '../storage/redis-notifications.ts';
import { stateSchema } from '../storage/state-schema.ts';
import type { ReadinessProbe } from '../admin/health.ts';
import { fleetLimits, redisConnectMs, redisLifeLimits, redisMemoryMs } from './limits.ts';
import { redisAddressOf, type RedisConfig } from './redis-address.ts';
import type { SharedState } from './state.ts';
import type { Observed } from './verifier.ts';

/**
 * State in Redis, closed by `opened`. It is waited for a moment, and gone on without where it does
 * not answer. `schema` is for a test that plays another version. Throws `StartupError`.
 */
export async function openRedisState(
  redis: RedisConfig,
  observed: Observed,
  opened: AsyncDisposableStack,
  schema = stateSchema,
): Promise<SharedState> {
  const { keyPrefix } = redis;
  const address = await redisAddressOf(redis);
  const link = openRedisLink(address, observed);
  opened.defer(() => link.close());
  if (!(await link.isConnected(redisConnectMs))) {
    observed.log.error({}, 'redis can not be reached: this replica begins by itself');
  }
  const life = watchRedisLife(link, { keyPrefix, ...redisLifeLimits }, observed);
  opened.defer(() => life.close());
  const notifications = openRedisNotifications({ address, keyPrefix, link }, observed);
  opened.defer(() => notifications.close());
  const memory = watchRedisMemory(link, redisMemoryMs, observed);
  opened.defer(() => memory.close());
  const leases = makeRedisLeases(link, keyPrefix, schema);
  return {
    store: makeRedisKeyValue(link, { keyPrefix, groupOf: listedWith, schema, isOfAllVersions }),
    notifications,
    life,
    fleet: { leases, notifications, limits: fleetLimits },
    replicas: { time: () => readRedisTime(link), schema },
    probe: makeProbe(link, memory),
  };
}

/** Without Redis this replica goes on; without all replicas nothing does. */
function makeProbe(link: Pick<RedisLink, 'isUp'>, memory: RedisMemory): ReadinessProbe {
  return {
    name: 'redis',
    async check() {
      if (!link.isUp()) {
        return { ok: true, says: 'does not answer: this replica goes on by itself' };
      }
      const drops = `; maxmemory-policy ${memory.policy()} may drop denials: set noeviction`;
      return { ok: true, says: `answers${memory.evicts() ? drops : ''}` };
    },
  };
}
