import { abortable } from '../kernel/abort.ts';
import { UnavailableError } from './gate-error.ts';

export interface SingleFlight {
  /**
   * Runs `work` once for all who ask for `key` while it is under way; followers get the same
   * result or the same error. The work does not end when those who wait go away: it has its own
   * deadline. Throws `UnavailableError` when that has passed, and when `maxFlights` are already
   * under way.
   */
  run<T>(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    waiting: AbortSignal,
    onFollow?: () => void,
  ): Promise<T>;
}

/** For the work to say what it found out until its deadline. */
const graceMs = 1_000;

export function makeSingleFlight(limits: {
  readonly maxFlights: number;
  readonly deadlineMs: number;
  /** What who begins a flight has to wait for, so that who joins it need not. */
  readonly toll?: (() => Promise<void> | undefined) | undefined;
}): SingleFlight {
  const flights = new Map<string, Promise<unknown>>();
  return {
    async run<T>(
      key: string,
      work: (signal: AbortSignal) => Promise<T>,
      waiting: AbortSignal,
      onFollow?: () => void,
    ): Promise<T> {
      if (!flights.has(key)) {
        const toll = limits.toll?.();
        if (toll !== undefined) await toll;
      }
      const underWay = flights.get(key) as Promise<T> | undefined;
      if (underWay !== undefined) {
        onFollow?.();
        return abortable(underWay, waiting);
      }
      if (flights.size >= limits.maxFlights) {
        throw new UnavailableError('UNAVAILABLE', 'too much work is under way');
      }
      // Whoever left meanwhile has nothing begun.
      waiting.throwIfAborted();
      const deadline = AbortSignal.timeout(limits.deadlineMs);
      // Others must not join for ever what does not heed its deadline.
      const end = AbortSignal.timeout(limits.deadlineMs + graceMs);
      const flight = abortable(work(deadline), end)
        .catch((error: unknown) => fail(error, [deadline, end]))
        .finally(() => flights.delete(key));
      flights.set(key, flight);
      // Whoever waits sees the error; with nobody left to wait it is nobody's.
      flight.catch(() => undefined);
      return abortable(flight, waiting);
    },
  };
}

function fail(error: unknown, deadlines: readonly AbortSignal[]): never {
  if (!deadlines.some(({ aborted, reason }) => aborted && reason === error)) throw error;
  const message = 'it could not be found out in time';
  throw new UnavailableError('UNAVAILABLE', message, { cause: error });
}
