import type { Clock } from '../../src/kernel/clock.ts';

export interface FakeClock extends Clock {
  /** Moves both clocks forward. */
  advanceMs(ms: number): void;
}

/** A clock that stands still until it is moved. */
export function makeFakeClock(start = '2030-01-01T00:00:00Z'): FakeClock {
  const startMs = Date.parse(start);
  let elapsedMs = 0;
  return {
    now: () => new Date(startMs + elapsedMs),
    monotonicMs: () => elapsedMs,
    advanceMs(ms) {
      elapsedMs += ms;
    },
  };
}
