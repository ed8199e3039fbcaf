/**
 * Does work once for all replicas, where it can: who comes second waits for what the first one
 * leaves. Who can't be asked, or takes too long, holds up nobody.
 */
export interface FleetFlight {
  /** Whether there are others to leave something for. */
  readonly isShared: boolean;
  /** `look` finds what another replica left; undefined where nothing did. */
  run<T>(
    name: string,
    look: () => Promise<T | undefined>,
    work: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
}
