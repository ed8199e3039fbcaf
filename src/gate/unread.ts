import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Closure } from './closure.ts';
import { DeniedError, UnavailableError } from './gate-error.ts';
import { makeRecent } from './recent.ts';
import type { SingleFlight } from './single-flight.ts';
import type { TrustedManifest } from './trusted-content.ts';

/** Children of admitted indexes that nobody asked for yet, so that their parts are not known. */
export interface UnreadChildren {
  /** Reads those of a repository, to find out whose part a blob is. */
  read(repository: Repository, waiting: AbortSignal): Promise<UnreadOutcome>;
}

export interface UnreadOutcome {
  /** At least one was admitted, and its parts are known now. */
  readonly found: boolean;
  /** One could not be had: the blob may be a part of it. */
  readonly unclear: UnavailableError | undefined;
}

/** Admits a manifest by digest; undefined where there is no such manifest. */
export type AdmitManifest = (
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
) => Promise<TrustedManifest | undefined>;

/** For one request. */
const maxRead = 64;
const concurrency = 8;
/** Children that are looked through for those. */
const maxListed = 1000;
/** One that is denied or absent is not asked for again so soon: any request for a blob comes here. */
const pauseMs = 10_000;
const maxRemembered = 10_000;

export function makeUnreadChildren(dependencies: {
  readonly closure: Closure;
  readonly flights: SingleFlight;
  readonly clock: Clock;
  readonly admitManifest: AdmitManifest;
}): UnreadChildren {
  const { closure, flights, clock, admitManifest } = dependencies;
  const inVain = makeRecent<number>(maxRemembered);

  const list = async (scope: string): Promise<readonly Digest[]> => {
    const now = clock.monotonicMs();
    const children = await closure.unread(scope, maxListed);
    const due = children.filter(
      (child) => now - (inVain.get(`${scope}@${child}`) ?? -Infinity) >= pauseMs,
    );
    return due.slice(0, maxRead);
  };

  const readOne = async (
    repository: Repository,
    child: Digest,
    signal: AbortSignal,
  ): Promise<'admitted' | 'refused'> => {
    const isAdmitted = await admitManifest(repository, child, signal).catch((error: unknown) => {
      if (!(error instanceof DeniedError)) throw error;
    });
    if (isAdmitted !== undefined) return 'admitted';
    inVain.set(`${scopeOf(repository)}@${child}`, clock.monotonicMs());
    return 'refused';
  };

  return {
    async read(repository, waiting) {
      const scope = scopeOf(repository);
      const children = await list(scope);
      let found = false;
      let unclear: UnavailableError | undefined;
      const read = async (child: Digest): Promise<void> => {
        try {
          const work = (signal: AbortSignal) => readOne(repository, child, signal);
          const outcome = await flights.run(`${scope}@${child}`, work, waiting);
          found ||= outcome === 'admitted';
        } catch (error) {
          waiting.throwIfAborted();
          if (!(error instanceof UnavailableError)) throw error;
          unclear ??= error;
        }
      };
      for (let start = 0; start < children.length; start += concurrency) {
        await Promise.all(children.slice(start, start + concurrency).map(read));
      }
      return { found, unclear };
    },
  };
}
