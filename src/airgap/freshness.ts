import type { Published } from './published.ts';

/** How old what a zone knows of revocations may be. Milliseconds. */
export interface MaxAges {
  /** From then on answers carry a warning; undefined: never. */
  readonly warnMs: number | undefined;
  /** From then on nothing is served. */
  readonly denyMs: number | undefined;
}

export interface Freshness {
  readonly state: 'fresh' | 'old' | 'stale';
  readonly asOf: Date;
  readonly ageMs: number;
}

/**
 * Of what is published, at `now`. A bundle without revocation data is as old as itself: what its
 * maker denied is in it.
 */
export function freshnessOf(
  { revocationAsOf, created }: Pick<Published, 'revocationAsOf' | 'created'>,
  { warnMs = Infinity, denyMs = Infinity }: MaxAges,
  now: Date,
): Freshness {
  const asOf = new Date(revocationAsOf ?? created);
  const ageMs = Math.max(0, now.getTime() - asOf.getTime());
  const state = ageMs >= denyMs ? 'stale' : ageMs >= warnMs ? 'old' : 'fresh';
  return { state, asOf, ageMs };
}

/** A few words for a person, such as `12 days`. */
export function describeAge(ageMs: number): string {
  const hours = Math.floor(ageMs / 3_600_000);
  if (hours < 48) return hours === 1 ? '1 hour' : `${hours} hours`;
  return `${Math.floor(hours / 24)} days`;
}
