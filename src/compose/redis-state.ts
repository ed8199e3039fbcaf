import { listedWith } from '../gate/listed-names.ts';
import { makeRedisKeyValue } from '../storage/redis-key-value.ts';
import { makeRedisLeases } from '../storage/redis-leases.ts';
import { watchRedisLife } from '../storage/redis-life.ts';
import { openRedisLink } from '../storage/redis-link.ts';
import { openRedisNotifications } from '../storage/redis-notifications.ts';
import type { ReadinessProbe } from '../admin/health.ts';
import { fleetLimits, redisConnectMs, redisLifeLimits } from './limits.ts';
import { redisAddressOf, type RedisConfig } from './redis-address.ts';
import type { SharedState } from './state.ts';
import type { Observed } from './verifier.ts';

/**
 * State in Redis, closed by `opened`. It is waited for a moment, and gone on without where it does
 * not answer. Throws `StartupError`.
 */
export async function openRedisState(
  redis: RedisConfig,
  observed: Observed,
  opened: AsyncDisposableStack,
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
  const probe: ReadinessProbe = {
    name: 'redis',
    // Without it this replica goes on; without all replicas nothing does.
    check: async () => ({
      ok: true,
      says: link.isUp() ? 'answers' : 'does not answer: this replica goes on by itself',
    }),
  };
  return {
    store: makeRedisKeyValue(link, { keyPrefix, groupOf: listedWith }),
    notifications,
    life,
    fleet: { leases: makeRedisLeases(link, keyPrefix), notifications, limits: fleetLimits },
    probe,
  };
}
