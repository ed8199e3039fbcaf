import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { makeBreaker } from './breaker.ts';
import { openRedisClient, type RedisAddress, type RedisClient } from './redis-client.ts';
import { LateError, redisFailed, type RedisTrouble, troubleOf } from './redis-failure.ts';
import { StorageError } from './storage-error.ts';

/** What commands are sent for, as metrics name it. */
export type RedisOperation = 'get' | 'put' | 'delete' | 'list' | 'lease' | 'publish' | 'watch';

/** A connection to Redis that answers or fails within its deadline, whatever Redis does. */
export interface RedisLink {
  /** The reply, texts as bytes. Throws `StorageError`. */
  send(
    operation: RedisOperation,
    command: string,
    args: readonly (string | number | Uint8Array)[],
  ): Promise<unknown>;
  /** Resolves once there is a connection, or with false after so long without one. */
  isConnected(withinMs: number): Promise<boolean>;
  /** False while it does not answer and so is not asked. */
  isUp(): boolean;
  /**
   * Calls the listener each time that Redis is there again: with a new connection, the first one
   * included, and when it answers after it did not.
   */
  onBack(listener: () => void): void;
  close(): Promise<void>;
}

export interface RedisLinkLimits {
  /** The longest that one command may take, following a slot that moved included. */
  readonly commandMs: number;
  /** So many failures in a row keep anybody from asking, until a probe is answered. */
  readonly maxFailures: number;
  readonly probeEveryMs: number;
}

export const usualRedisLimits: RedisLinkLimits = {
  commandMs: 250,
  maxFailures: 3,
  probeEveryMs: 500,
};

export interface RedisDependencies {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

export function openRedisLink(
  address: RedisAddress,
  dependencies: RedisDependencies,
  limits: RedisLinkLimits = usualRedisLimits,
): RedisLink {
  const { clock, metrics } = dependencies;
  const client = openRedisClient(address, () => clock.monotonicMs());
  const ask = (command: string, args: readonly (string | number | Buffer)[]): Promise<unknown> =>
    within(client.callBuffer(command, ...args), limits.commandMs);
  const listeners: (() => void)[] = [];
  const tellBack = (): void => listeners.forEach((listener) => listener());
  const breaker = makeBreaker<RedisTrouble>(limits, {
    probe: () => ask('PING', []),
    reset: () => client.disconnect(true),
    onChange(state, because) {
      tell(state, because, dependencies);
      if (state === 'closed') tellBack();
    },
  });
  metrics.set('assay_redis_up', {}, 1);
  onConnected(client, () => {
    if (breaker.isOpen()) breaker.probe();
    else tellBack();
  });
  let isClosed = false;

  const fail = (operation: RedisOperation, trouble: RedisTrouble, cause?: unknown): never => {
    metrics.count('assay_redis_errors_total', { operation, because: trouble });
    throw redisFailed(trouble, cause);
  };
  return {
    async send(operation, command, args) {
      if (isClosed) throw new StorageError('STORAGE_FAILED', 'the link to redis is closed');
      if (breaker.isOpen()) return fail(operation, 'not-asked');
      const startedMs = clock.monotonicMs();
      try {
        const reply = await ask(command, args.map(toArgument));
        breaker.noteWell();
        return reply;
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === 'refused') breaker.noteWell();
        else breaker.noteFailed(trouble);
        return fail(operation, trouble, error);
      } finally {
        const seconds = (clock.monotonicMs() - startedMs) / 1000;
        metrics.time('assay_redis_seconds', { operation }, seconds);
      }
    },
    isConnected: (withinMs) => isReady(client, withinMs),
    isUp: () => !breaker.isOpen(),
    onBack: (listener) => void listeners.push(listener),
    async close() {
      isClosed = true;
      breaker.close();
      client.disconnect();
    },
  };
}

function toArgument(given: string | number | Uint8Array): string | number | Buffer {
  // A copy, since the client may send it later.
  return typeof given === 'object' ? Buffer.from(given) : given;
}

/** A node of a cluster that comes back may have lost something, as a single server may. */
function onConnected(client: RedisClient, listener: () => void): void {
  client.on('ready', listener);
  client.on('+node', listener);
}

async function isReady(client: RedisClient, withinMs: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ready = (): void => resolve(true);
  const timer = setTimeout(resolve, withinMs, false);
  client.on('ready', ready);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    client.off('ready', ready);
  }
}

/** Rejects with a `LateError` where it takes longer. */
async function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  // Once nobody waits for it, its failure is nobody's.
  answer.catch(() => undefined);
  // What came while this process was busy is looked at before it counts as late.
  const timer = setTimeout(() => setImmediate(reject, new LateError('LATE', 'too late')), ms);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tell(
  state: 'open' | 'closed',
  because: RedisTrouble | undefined,
  { metrics, log }: RedisDependencies,
): void {
  metrics.set('assay_redis_up', {}, state === 'closed' ? 1 : 0);
  if (state === 'closed') log.info({}, 'redis is asked again');
  else log.error({ because }, 'redis does not answer: this replica goes on by itself');
}
