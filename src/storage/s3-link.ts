import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type Breaker, makeBreaker } from './breaker.ts';
import type { ObjectClient } from './object-client.ts';
import { LateS3Error, s3Failed, type S3Trouble, troubleOf } from './s3-failure.ts';

/** What is asked, as metrics name it. */
export type S3Operation = 'head' | 'get' | 'put' | 'copy' | 'remove' | 'upload' | 'list' | 'sign';

/** S3 within bounds: it is slow, full, forbidden or gone, and holds up nobody for long. */
export interface S3Link {
  /**
   * Resolves with what the client was answered, undefined where there is no such object. Throws
   * `StorageError` after `withinMs`, at once while S3 fails, or the signal's reason.
   */
  ask<T>(
    operation: S3Operation,
    work: (client: ObjectClient, signal: AbortSignal) => Promise<T>,
    bounds?: { readonly signal?: AbortSignal | undefined; readonly withinMs?: number },
  ): Promise<T | undefined>;
  /** False while nobody asks, since it failed. */
  isUp(): boolean;
  close(): void;
}

export interface S3LinkLimits {
  /** Of one request, unless told; until the headers of its answer. */
  readonly callMs: number;
  /** So many failures in a row: nobody asks until it answers again, which is tried so often. */
  readonly maxFailures: number;
  readonly probeEveryMs: number;
  /** Before a request is repeated, once. */
  readonly retryPauseMs: number;
}

export const s3LinkLimits: S3LinkLimits = {
  callMs: 5_000,
  maxFailures: 5,
  probeEveryMs: 2_000,
  retryPauseMs: 200,
};

export interface S3Dependencies {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

export function makeS3Link(
  client: ObjectClient,
  probeKey: string,
  limits: S3LinkLimits,
  dependencies: S3Dependencies,
): S3Link {
  const { metrics } = dependencies;
  const retries = makeRetryBudget();
  const breaker = makeBreaker<S3Trouble>(limits, {
    probe: () => within(limits.callMs, undefined, (signal) => isThere(client, probeKey, signal)),
    reset: () => undefined,
    onChange: (state, because) => tell(state, because, dependencies),
  });
  metrics.set('assay_s3_up', {}, 1);

  const askOnce = makeAskOnce(breaker, retries, dependencies);
  return {
    async ask(operation, work, { signal, withinMs = limits.callMs } = {}) {
      for (let isRepeated = false; ; isRepeated = true) {
        signal?.throwIfAborted();
        if (breaker.isOpen()) {
          metrics.count('assay_s3_errors_total', { operation, because: 'not-asked' });
          throw s3Failed('not-asked');
        }
        const asked = await askOnce(operation, () =>
          within(withinMs, signal, (own) => work(client, own)),
        );
        if ('answer' in asked) return asked.answer;
        signal?.throwIfAborted();
        const { trouble, error } = asked;
        const isWorthIt = trouble === 'failing' || trouble === 'unreachable';
        if (isRepeated || !isWorthIt || !retries.spend()) throw s3Failed(trouble, error);
        await delay(limits.retryPauseMs, undefined, { signal }).catch(() =>
          signal?.throwIfAborted(),
        );
      }
    },
    isUp: () => !breaker.isOpen(),
    close() {
      breaker.close();
      client.close();
    },
  };
}

type Asked<T> = { readonly answer: T } | { readonly trouble: S3Trouble; readonly error: unknown };

/** One request, counted and noted. */
function makeAskOnce(
  breaker: Breaker<S3Trouble>,
  retries: RetryBudget,
  { clock, metrics }: S3Dependencies,
) {
  return async <T>(operation: S3Operation, work: () => Promise<T>): Promise<Asked<T>> => {
    const startedMs = clock.monotonicMs();
    try {
      const answer = await work();
      breaker.noteWell();
      retries.earn();
      return { answer };
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'absent' || trouble === 'unfit') breaker.noteWell();
      else breaker.noteFailed(trouble);
      if (trouble === 'absent') return { answer: undefined as T };
      metrics.count('assay_s3_errors_total', { operation, because: trouble });
      return { trouble, error };
    } finally {
      metrics.time('assay_s3_seconds', { operation }, (clock.monotonicMs() - startedMs) / 1000);
    }
  };
}

const maxRetries = 10;
const earnedPerAnswer = 0.1;

interface RetryBudget {
  earn(): void;
  spend(): boolean;
}

/** One request of ten may be repeated, so that a service in trouble is not asked twice as much. */
function makeRetryBudget(): RetryBudget {
  let left = maxRetries;
  return {
    earn() {
      left = Math.min(maxRetries, left + earnedPerAnswer);
    },
    spend() {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}

/** What works is given a signal of its own, which says nothing once it has resolved. */
async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    reject(reason);
    own.abort(reason);
  };
  const onAbort = (): void => end(signal?.reason);
  const timer = setTimeout(() => setImmediate(end, new LateS3Error('LATE', 'too late')), ms);
  signal?.addEventListener('abort', onAbort, { once: true });
  const working = work(own.signal);
  // Once nobody waits for it, its failure is nobody's.
  working.catch(() => undefined);
  try {
    return await Promise.race([working, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Whether it answers at all: that there is no such object is an answer. */
async function isThere(client: ObjectClient, key: string, signal: AbortSignal): Promise<void> {
  try {
    await client.head(key, signal);
  } catch (error) {
    if (troubleOf(error) !== 'absent') throw error;
  }
}

function tell(
  state: 'open' | 'closed',
  because: S3Trouble | undefined,
  { metrics, log }: S3Dependencies,
): void {
  metrics.set('assay_s3_up', {}, state === 'closed' ? 1 : 0);
  if (state === 'closed') log.info({}, 'S3 is asked again');
  else log.error({ because }, 'S3 does not answer: this replica goes on without it');
}
