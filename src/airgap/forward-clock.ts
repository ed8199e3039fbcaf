import type { Clock } from '../kernel/clock.ts';

/** A clock that does not go back behind times that were signed, or seen before. */
export interface ForwardClock extends Clock {
  /** It is at least that late. */
  raise(to: Date): void;
}

/** From a time that it was raised to it goes on as the monotonic clock does. */
export function makeForwardClock(clock: Clock): ForwardClock {
  let floorMs = -Infinity;
  let raisedAtMs = 0;
  const now = (): Date => {
    const atLeastMs = floorMs + (clock.monotonicMs() - raisedAtMs);
    const given = clock.now();
    return given.getTime() >= atLeastMs ? given : new Date(atLeastMs);
  };
  return {
    now,
    monotonicMs: () => clock.monotonicMs(),
    raise(to) {
      if (to.getTime() <= now().getTime()) return;
      floorMs = to.getTime();
      raisedAtMs = clock.monotonicMs();
    },
  };
}
