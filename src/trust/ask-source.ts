import { abortable, withDeadline } from '../kernel/abort.ts';
import { forgetOldest } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { FetchBytes, FetchRequest } from './fetch-bytes.ts';
import type { Held } from './held-answers.ts';
import type { RevocationEvents } from './revocation-events.ts';
import type { RevocationLimits } from './revocation-limits.ts';
import type { SignedSource } from './signed-source.ts';
import { makeSlots } from './slots.ts';

export interface AskerDependencies {
  readonly fetch: FetchBytes;
  readonly accept: (source: SignedSource<unknown>, bytes: Uint8Array) => Promise<Held>;
  readonly clock: Clock;
  readonly events: RevocationEvents;
  readonly limits: RevocationLimits;
}

/** Asks over the network: each question once at a time, however many wait for the answer. */
export interface Asker {
  ask(source: SignedSource<unknown>): Promise<Held>;
  isAsking(key: string): boolean;
  /** Why the last try of late failed: it is too soon for another. */
  failureOf(key: string): string | undefined;
}

const maxFailures = 1000;

export function makeAsker(dependencies: AskerDependencies): Asker {
  const { clock, limits } = dependencies;
  const flights = new Map<string, Promise<Held>>();
  const failures = new Map<string, { readonly untilMs: number; readonly because: string }>();
  const request = makeRequester(dependencies);
  const noteFailure = (key: string, because: string): void => {
    failures.delete(key);
    failures.set(key, { untilMs: clock.monotonicMs() + limits.failureMs, because });
    forgetOldest(failures, maxFailures);
  };
  return {
    ask(source) {
      const { key } = source;
      const underWay = flights.get(key);
      if (underWay !== undefined) return underWay;
      const flight = request(source)
        .catch((error: unknown) => {
          noteFailure(key, messageOf(error));
          throw error;
        })
        .finally(() => flights.delete(key));
      flights.set(key, flight);
      // With nobody left to wait its failure is nobody's.
      flight.catch(() => undefined);
      return flight;
    },
    isAsking: (key) => flights.has(key),
    failureOf(key) {
      const failure = failures.get(key);
      if (failure === undefined || clock.monotonicMs() < failure.untilMs) return failure?.because;
      failures.delete(key);
      return undefined;
    },
  };
}

/** One request after the other, until an answer can be used. */
function makeRequester({
  fetch,
  accept,
  events,
  limits,
}: AskerDependencies): (source: SignedSource<unknown>) => Promise<Held> {
  // Lists are large and slow: they take neither all of the memory nor the place of a short answer.
  const slots = {
    ocsp: makeSlots(limits.ocspsAtOnce, limits.maxWaiting),
    crl: makeSlots(limits.crlsAtOnce, limits.maxWaiting),
  };
  const fetchBytes = async (
    request: FetchRequest,
    { kind, timeoutMs }: SignedSource<unknown>,
  ): Promise<Uint8Array> => {
    const signal = withDeadline(timeoutMs);
    return await slots[kind].run(() => abortable(fetch(request, signal), signal), signal);
  };
  return async (source) => {
    const problems: string[] = [];
    for (const request of source.requests) {
      let outcome: 'unreachable' | 'unusable' = 'unreachable';
      try {
        const bytes = await fetchBytes(request, source);
        outcome = 'unusable';
        const held = await accept(source, bytes);
        events.requested(source.kind, 'usable');
        return held;
      } catch (error) {
        const because = messageOf(error);
        events.requested(source.kind, outcome);
        events.failed(source.kind, request.url, because);
        problems.push(because);
      }
    }
    throw new Error(problems.join('; '));
  };
}
