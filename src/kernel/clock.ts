import { randomBytes } from 'node:crypto';

/** Where time comes from. Everything that compares times takes one, so that a test can set it. */
export interface Clock {
  /** The wall clock. */
  now(): Date;
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};

export const dayMs = 86_400_000;

/** `bytes` random bytes in lower-case hex, from the operating system's generator. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
