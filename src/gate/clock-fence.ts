import type { Clock } from '../kernel/clock.ts';

/** How far another clock is from this one, at least: positive where it is ahead. */
export interface Offset {
  readonly of: 'redis' | 'replica';
  readonly ms: number;
}

/** Whether this replica's clock is one that others can go by. */
export interface ClockFence {
  /** Compares it with what others have. */
  judge(offsets: readonly Offset[]): void;
  /** Why what is written now could bear a wrong time; undefined: it would not. */
  because(): string | undefined;
  /** It is known to be wrong. */
  isOff(): boolean;
  /**
   * Redis and replicas agree that this one is wrong. What replicas say alone is no ground to stop
   * serving: whoever writes to Redis can put back what they said an hour ago.
   */
  isOutvoted(): boolean;
}

/**
 * It is up until clocks were compared once, while most others are farther off than `boundMs` to the
 * same side, and from a step of the clock until they were compared again. Redis has one voice and
 * each other replica one: a server whose clock is wrong fences nobody where replicas agree.
 */
export function makeClockFence(clock: Clock, boundMs: number): ClockFence {
  let compared: { readonly wallMs: number; readonly monotonicMs: number } | undefined;
  let offMs: number | undefined;
  let isOutvoted = false;
  const stepMs = ({ wallMs, monotonicMs }: NonNullable<typeof compared>): number =>
    clock.now().getTime() - wallMs - (clock.monotonicMs() - monotonicMs);
  return {
    judge(offsets) {
      compared = { wallMs: clock.now().getTime(), monotonicMs: clock.monotonicMs() };
      const ahead = offsets.filter(({ ms }) => ms > boundMs);
      const behind = offsets.filter(({ ms }) => ms < -boundMs);
      const most = [ahead, behind].find((side) => side.length * 2 > offsets.length);
      offMs = most && Math.min(...most.map(({ ms }) => Math.abs(ms)));
      isOutvoted = new Set(most?.map((offset) => offset.of)).size === 2;
    },
    because() {
      if (compared === undefined) return 'its clock was not compared with any other yet';
      if (offMs !== undefined) return `its clock is ${Math.round(offMs / 1000)} s off`;
      if (Math.abs(stepMs(compared)) > boundMs) return 'its clock was set, and not compared since';
      return undefined;
    },
    isOff: () => offMs !== undefined,
    isOutvoted: () => isOutvoted,
  };
}

/**
 * How far a clock is off at least that showed `shownMs` at some moment between two of ours: 0 where
 * it may be right.
 */
export function offsetWithin(shownMs: number, fromMs: number, toMs: number): number {
  if (shownMs > toMs) return shownMs - toMs;
  return Math.min(0, shownMs - fromMs);
}
