/** The earliest of the times that are given; undefined where none is. */
export function earliest(first: Date, ...others: readonly (Date | undefined)[]): Date;
export function earliest(...times: readonly (Date | undefined)[]): Date | undefined;
export function earliest(...times: readonly (Date | undefined)[]): Date | undefined {
  return times.reduce(
    (least, time) => (least === undefined || (time !== undefined && time < least) ? time : least),
    undefined,
  );
}
