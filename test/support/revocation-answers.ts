import type { FetchBytes } from '../../src/trust/fetch-bytes.ts';
import type { FiledRevocation } from '../../src/trust/filed-revocation.ts';
import type { RevocationCache } from '../../src/trust/revocation-cache.ts';
import type { RevocationEvents } from '../../src/trust/revocation-events.ts';
import {
  defaultRevocationLimits,
  type RevocationLimits,
} from '../../src/trust/revocation-limits.ts';
import { makeRevocation, type Revocation } from '../../src/trust/revocation.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';

/** What a host answers: bytes, or how it fails; asked anew at each request. */
export type Answer = () => Uint8Array | Error | Promise<Uint8Array>;

export interface RevocationWorld extends Revocation {
  readonly clock: FakeClock;
  /** URLs that were asked, in order, without the question; the origin alone of unknown ones. */
  readonly asked: string[];
  /** By URL; that of an OCSP responder is followed by the question. */
  readonly answers: Map<string, Answer>;
  /** Events as words: `requested ocsp usable`, `reused crl memory`. */
  readonly events: string[];
}

export interface WorldOptions {
  readonly cache?: RevocationCache;
  readonly filed?: FiledRevocation;
  readonly limits?: Partial<RevocationLimits>;
  readonly clock?: FakeClock;
  readonly offline?: boolean;
}

/** Revocation over hosts that answer as they are told, without a network. */
export function makeRevocationWorld(options: WorldOptions = {}): RevocationWorld {
  const { clock = makeFakeClock(), cache, filed, limits, offline = false } = options;
  const asked: string[] = [];
  const events: string[] = [];
  const answers = new Map<string, Answer>();
  const fetch: FetchBytes = async ({ url }) => {
    const known = [...answers.keys()].find((each) => url === each || url.startsWith(`${each}/`));
    asked.push(known ?? new URL(url).origin);
    const answer = await answers.get(known ?? '')?.();
    if (answer === undefined) throw new Error('there is no such host');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const revocation = makeRevocation({
    fetch: offline ? undefined : fetch,
    cache,
    filed: () => filed,
    clock,
    events: toWords(events),
    limits: { ...defaultRevocationLimits, ...limits },
  });
  return { ...revocation, clock, asked, answers, events };
}

function toWords(events: string[]): RevocationEvents {
  return {
    requested: (kind, outcome) => void events.push(`requested ${kind} ${outcome}`),
    failed: () => undefined,
    reused: (kind, from) => void events.push(`reused ${kind} ${from}`),
    oldest: (kind, ageSeconds) => void events.push(`oldest ${kind} ${ageSeconds}`),
    cacheFailed: (because) => void events.push(`cache failed: ${because}`),
  };
}
