import { randomInt } from 'node:crypto';
import type { Test } from 'tap';

/** Numbers that look random and come again with the same seed. */
export interface SeededRandom {
  readonly seed: number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
}

/** Seeded by ASSAY_SEED, or anew; says which, so that a run can be had again. */
export function openSeed(t: Test): SeededRandom {
  const given = process.env['ASSAY_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  t.comment(`ASSAY_SEED=${seed}`);
  return seededRandom(seed);
}

/** The generator "mulberry32": 32 bits of state, no claim to be unforeseeable. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, between: (low, high) => low + Math.floor(next() * (high - low + 1)) };
}
