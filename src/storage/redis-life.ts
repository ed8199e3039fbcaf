import { randomHex } from '../kernel/clock.ts';
import { redisName } from './redis-keys.ts';
import type { RedisDependencies, RedisLink } from './redis-link.ts';
import type { StoreLife } from './store-life.ts';

export interface RedisLife extends StoreLife {
  close(): void;
}

export interface RedisLifeOptions {
  readonly keyPrefix: string;
  readonly pollMs: number;
  /** So long after a loss replicas are putting back what they have. */
  readonly settleMs: number;
}

/**
 * Watches one entry that whoever comes first puts there. Where it is gone or another, Redis was
 * emptied. After each new connection it may be another server, which lacks the last moments; that
 * counts once it takes a write, since one that takes none is not where anything is put.
 */
export function watchRedisLife(
  link: RedisLink,
  { keyPrefix, pollMs, settleMs }: RedisLifeOptions,
  { clock, metrics, log }: RedisDependencies,
): RedisLife {
  const name = redisName(keyPrefix, 'life', '');
  let known: string | undefined;
  let wasAway = false;
  let losses = 0;
  let lostAtMs = -Infinity;

  const lose = (because: 'emptied' | 'away'): void => {
    losses += 1;
    lostAtMs = clock.monotonicMs();
    metrics.count('assay_redis_losses_total', { because });
    if (because === 'emptied') log.error({}, 'redis lost its entries: they are put back as needed');
    else log.warn({}, 'redis was away: what it may have lost is put back as needed');
  };
  const look = async (): Promise<void> => {
    const set = link.send('watch', 'SET', [name, randomHex(16), 'NX']);
    const get = link.send('watch', 'GET', [name]);
    const [, found] = await Promise.all([set, get]);
    const life = Buffer.isBuffer(found) ? found.toString('latin1', 0, 64) : '';
    const isBack = wasAway;
    wasAway = false;
    if (known !== undefined && life !== known) lose('emptied');
    else if (known !== undefined && isBack) lose('away');
    known = life;
  };
  // Whoever asks is told by their own command that it can't be read.
  const lookInBackground = (): void => void look().catch(() => undefined);
  link.onBack(() => {
    wasAway = true;
    lookInBackground();
  });
  lookInBackground();
  const timer = setInterval(lookInBackground, pollMs);
  timer.unref();
  return {
    losses: () => losses,
    async isWhole() {
      const isRead = await look().then(
        () => true,
        () => false,
      );
      return isRead && clock.monotonicMs() - lostAtMs >= settleMs;
    },
    close: () => clearInterval(timer),
  };
}
