/** The earliest of the times that are given. */
export function earliest(first: Date, ...others: readonly (Date | undefined)[]): Date {
  return others.reduce<Date>(
    (least, time) => (time !== undefined && time < least ? time : least),
    first,
  );
}

/** `from` plus at most `longestMs`, and never past `until`. */
export function lifetimeEnd(from: Date, longestMs: number, until: Date | undefined): Date {
  return earliest(new Date(from.getTime() + longestMs), until);
}
