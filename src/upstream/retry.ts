import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import { classifyFailure } from './failure.ts';
import { StatusError } from './status.ts';
import { NotAskedError } from './upstream-error.ts';

/** Resolves after so long, or rejects when the signal aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const systemWait: Wait = (ms, signal) => setTimeout(ms, undefined, { signal });

/** What one upstream's retries are paid from: a tenth of its requests, and a few in advance. */
export interface RetryBudget {
  /** A request was made. */
  deposit(): void;
  /** Whether one more retry is covered; takes it. */
  withdraw(): boolean;
}

const maxSaved = 10;
const share = 0.1;

export function makeRetryBudget(): RetryBudget {
  let saved = maxSaved;
  return {
    deposit() {
      saved = Math.min(maxSaved, saved + share);
    },
    withdraw() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}

/** How long to go on after a failure. */
export interface Patience {
  readonly maxRetries: number;
  /** Longer pauses than that are the caller's to make. */
  readonly maxPauseMs: number;
  /** Whether what took too long may be tried again. */
  readonly timeouts: 'final' | 'retried';
}

/** Somebody waits for an answer: a timeout has had its time. */
const whileSomebodyWaits: Patience = { maxRetries: 2, maxPauseMs: 5_000, timeouts: 'final' };
const firstPauseMs = 100;

export interface RetryTerms {
  readonly clock: Clock;
  readonly wait: Wait;
  readonly budget: RetryBudget;
  /** From now; the pauses must fit in. */
  readonly totalMs: number;
  readonly patience?: Patience;
}

/** Tries again what may be mended by trying again, within the budget and the one deadline. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { clock, wait, budget, totalMs, patience = whileSomebodyWaits }: RetryTerms,
  signal: AbortSignal,
): Promise<T> {
  const endMs = clock.monotonicMs() + totalMs;
  budget.deposit();
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const pauseMs = pauseAfter(error, retries, patience);
      const fits = pauseMs !== undefined && clock.monotonicMs() + pauseMs < endMs;
      if (!fits || retries >= patience.maxRetries || !budget.withdraw()) throw error;
      await wait(pauseMs, signal);
    }
  }
}

/** Undefined for what no retry mends: a refusal stays one. */
export function pauseAfter(
  error: unknown,
  retries: number,
  { maxPauseMs, timeouts }: Pick<Patience, 'maxPauseMs' | 'timeouts'>,
): number | undefined {
  if (error instanceof StatusError && !error.passing) return undefined;
  if (error instanceof NotAskedError) return undefined;
  const { code, retryAfterSeconds } = classifyFailure(error);
  const mendable =
    code === 'UPSTREAM_UNREACHABLE' ||
    code === 'UPSTREAM_FAILED' ||
    (code === 'UPSTREAM_TIMEOUT' && timeouts === 'retried');
  if (!mendable && !(code === 'UPSTREAM_RATE_LIMITED' && retryAfterSeconds !== undefined)) {
    return undefined;
  }
  const pauseMs =
    retryAfterSeconds === undefined ? firstPauseMs * 4 ** retries : retryAfterSeconds * 1000;
  return pauseMs <= maxPauseMs ? pauseMs : undefined;
}
