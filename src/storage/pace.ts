import type { Clock } from '../kernel/clock.ts';

/** Resolves when so many bytes more may be read; rejects when the signal aborts. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

/** A timer; rejects when the signal aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** Time that was not used is not made up for beyond this. */
const maxCreditMs = 1_000;

/** At most so many bytes a second, evenly; undefined: as fast as it goes. */
export function makePace(rate: number | undefined, clock: Clock, wait: Wait): Pace {
  let dueMs = clock.monotonicMs();
  return async (bytes, signal) => {
    signal.throwIfAborted();
    if (rate === undefined) return;
    const nowMs = clock.monotonicMs();
    dueMs = Math.max(dueMs, nowMs - maxCreditMs) + (bytes / rate) * 1000;
    if (dueMs > nowMs) await wait(dueMs - nowMs, signal);
  };
}
