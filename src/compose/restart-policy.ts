import type { Clock } from '../kernel/clock.ts';

export interface RestartLimits {
  /** So many crashes of all workers within `withinMs` are a fault that no restart mends. */
  readonly maxCrashes: number;
  readonly withinMs: number;
  /** Before the first restart; twice as long before each next one, */
  readonly firstDelayMs: number;
  /** but never longer than this after a crash, */
  readonly maxDelayMs: number;
  /** and than this where the worker could not start, and said why. */
  readonly maxStartDelayMs: number;
}

/** When workers that ended are started again. */
export interface RestartPolicy {
  /** In how many milliseconds, or never. */
  crashed(): number | 'give-up';
  /**
   * A worker that says what is wrong may find it mended any time, and the others go on: it is
   * tried for ever.
   */
  couldNotStart(): number;
  /** One listens again. */
  listens(): void;
}

export function makeRestartPolicy(limits: RestartLimits, clock: Clock): RestartPolicy {
  const { maxCrashes, withinMs, firstDelayMs, maxDelayMs, maxStartDelayMs } = limits;
  let crashes: readonly number[] = [];
  let failures = 0;
  const delayOf = (count: number, maxMs: number): number =>
    Math.min(maxMs, firstDelayMs * 2 ** (count - 1));
  return {
    crashed() {
      const nowMs = clock.monotonicMs();
      crashes = [...crashes.filter((atMs) => nowMs - atMs < withinMs), nowMs];
      return crashes.length >= maxCrashes ? 'give-up' : delayOf(crashes.length, maxDelayMs);
    },
    couldNotStart() {
      failures += 1;
      return delayOf(failures, maxStartDelayMs);
    },
    listens() {
      failures = 0;
    },
  };
}
