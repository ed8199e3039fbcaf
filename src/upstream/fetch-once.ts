import type { FleetFlight } from '../storage/fleet-flight.ts';

/** What is to be fetched by one of all replicas, if it can be. */
export interface FetchOnce<T> {
  /** Of all that fetches the same. */
  readonly name: string;
  /** What another replica left; undefined where nothing did. */
  readonly look: () => Promise<T | undefined>;
  readonly fetch: () => Promise<T | undefined>;
  /** Leaves it for the others, who wait for it meanwhile. Never rejects. */
  readonly leave: (fetched: T) => Promise<void>;
}

export interface FetchingOnce<T> {
  /** What was found or fetched; undefined where it does not exist. */
  readonly got: Promise<T | undefined>;
  /** Whether it is this replica that fetches, as far as is known yet. */
  readonly isOwn: () => boolean;
}

/**
 * Looks for what another replica left, or fetches it and leaves it; others wait until it is left,
 * and who fetched it does not. Where replicas can't be told apart from none (no leases, or they
 * can't be asked) it is looked for and fetched all the same.
 */
export function fetchOnce<T>(
  fleet: FleetFlight,
  { name, look, fetch, leave }: FetchOnce<T>,
  signal: AbortSignal,
): FetchingOnce<T> {
  const { promise: got, resolve, reject } = Promise.withResolvers<T | undefined>();
  let hasLooked = false;
  let isOwn = false;
  const lookOnce = async (): Promise<'done' | undefined> => {
    hasLooked = true;
    const found = await look();
    if (found === undefined) return undefined;
    resolve(found);
    return 'done';
  };
  const work = async (): Promise<'done'> => {
    if (!hasLooked && (await lookOnce()) !== undefined) return 'done';
    isOwn = true;
    const fetched = await fetch();
    resolve(fetched);
    if (fetched !== undefined) await leave(fetched);
    return 'done';
  };
  fleet.run(name, lookOnce, work, signal).catch(reject);
  // Whoever waits for it may have gone.
  got.catch(() => undefined);
  return { got, isOwn: () => isOwn };
}
