/** When a signature was made, on the word of somebody trusted: not before and not after. */
export interface SigningTime {
  readonly earliest: Date;
  readonly latest: Date;
}

/** When what a verdict rests on was signed. A time is there only where it is proven. */
export interface SigningTimes {
  /** The oldest signature that counts. */
  readonly oldest?: SigningTime;
  /** Signatures made then and later meet the rule, and later ones alone do not. */
  readonly freshest?: SigningTime;
}

/** Certainly before: where the intervals touch nobody knows. */
export function isBefore(one: SigningTime, other: SigningTime): boolean {
  return one.latest < other.earliest;
}

/** The older of two, or the one that there is. */
export function olderOf(
  one: SigningTime | undefined,
  other: SigningTime | undefined,
): SigningTime | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.latest < one.latest ? other : one;
}
