import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { RedisLink } from './redis-link.ts';

/** What Redis does when its memory is full, as far as it says so. */
export interface RedisMemory {
  /** Its `maxmemory-policy`; undefined where it was not told. */
  policy(): string | undefined;
  /** Whether it lets go of entries that were to be kept for ever, the deny list among them. */
  evicts(): boolean;
  close(): void;
}

/** Asks at each new connection and every `pollMs`; of a cluster, one node or another. */
export function watchRedisMemory(
  link: RedisLink,
  pollMs: number,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
): RedisMemory {
  let policy: string | undefined;
  const evicts = (): boolean => policy?.startsWith('allkeys-') === true;
  const look = async (): Promise<void> => {
    const didEvict = evicts();
    policy = readPolicy(await link.send('watch', 'INFO', ['memory'])) ?? policy;
    metrics.set('assay_redis_evicts', {}, evicts() ? 1 : 0);
    if (evicts() === didEvict) return;
    const fields = { 'maxmemory-policy': policy };
    if (didEvict) log.info(fields, 'redis keeps what is to be kept again');
    else log.error(fields, 'redis lets go of any entry when its memory is full, denials too');
  };
  // Whoever may not ask is none the wiser, and says so nowhere.
  const lookInBackground = (): void => void look().catch(() => undefined);
  link.onBack(lookInBackground);
  lookInBackground();
  const timer = setInterval(lookInBackground, pollMs);
  timer.unref();
  return { policy: () => policy, evicts, close: () => clearInterval(timer) };
}

function readPolicy(reply: unknown): string | undefined {
  const text = Buffer.isBuffer(reply) ? reply.toString('latin1', 0, 64 * 1024) : '';
  return /^maxmemory_policy:([a-z-]{1,40})\r?$/m.exec(text)?.[1];
}

/** Redis' own clock. Throws `StorageError` where it does not answer or may not be asked. */
export async function readRedisTime(link: RedisLink): Promise<Date | undefined> {
  const reply = await link.send('watch', 'TIME', []);
  const [seconds, micros] = Array.isArray(reply) ? reply.map(String) : [];
  const ms = Number(seconds) * 1000 + Number(micros) / 1000;
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms) : undefined;
}
