import { dayMs } from '../kernel/clock.ts';
import type { Denial } from '../verdict/denial.ts';

/** Every denial that is known of, by id, those that were taken back too. */
export type DenialSet = ReadonlyMap<string, Denial>;

/** In all; whoever fills the list up to here is refused. */
export const maxDenials = 10_000;
/** What ended is forgotten after so long. An old copy that brings it back only denies once more. */
const forgottenAfterMs = 90 * dayMs;

export const noDenials: DenialSet = new Map();

/**
 * The union: two lists that have grown apart deny what either denies. A removal is part of the
 * denial that it takes back, and of no other of the same thing: so whatever somebody denies
 * without knowing of the removal stays denied.
 */
export function mergeDenials(...sets: readonly Iterable<Denial>[]): DenialSet {
  const merged = new Map<string, Denial>();
  for (const set of sets) {
    for (const denial of set) {
      const known = merged.get(denial.id);
      if (known === undefined || isLater(denial, known)) merged.set(denial.id, denial);
    }
  }
  return merged;
}

/** Of two removals the one of the higher epoch: any rule does, as long as all have the same. */
function isLater({ removed }: Denial, known: Denial): boolean {
  return (removed?.epoch ?? 0) > (known.removed?.epoch ?? 0);
}

/** The highest epoch that any of them names; 0 for none. */
export function epochOf(denials: Iterable<Denial>): number {
  let epoch = 0;
  for (const denial of denials) epoch = Math.max(epoch, denial.epoch, denial.removed?.epoch ?? 0);
  return epoch;
}

export function isInForce({ removed, until }: Denial, now: Date): boolean {
  return removed === undefined && (until === undefined || now < until);
}

/** Whether nobody needs to hear of it any more. */
export function isForgotten({ removed, until }: Denial, now: Date): boolean {
  const endedMs = Math.min(removed?.at.getTime() ?? Infinity, until?.getTime() ?? Infinity);
  return now.getTime() - endedMs > forgottenAfterMs;
}

/** Whether both hold the same denials, in the same state. */
export function isSame(one: DenialSet, other: DenialSet): boolean {
  return (
    one.size === other.size &&
    missingFrom(one, other).length === 0 &&
    missingFrom(other, one).length === 0
  );
}

/** What the second lacks, or has in an earlier state. */
export function missingFrom(from: DenialSet, other: DenialSet): readonly Denial[] {
  return [...from.values()].filter((denial) => {
    const there = other.get(denial.id);
    return there === undefined || isLater(denial, there);
  });
}
