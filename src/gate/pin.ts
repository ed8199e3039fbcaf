import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { missIfUnavailable, NotFoundError, UnavailableError } from './gate-error.ts';
import type { LookAgain } from './look-again.ts';
import { makeRecent } from './recent.ts';
import type { SealedState } from './sealed.ts';
import type { SingleFlight } from './single-flight.ts';
import { fromUpstream } from './upstream-failure.ts';

/** A tag resolved once; from there on only the digest counts. */
export interface Pinned {
  readonly digest: Digest;
  /** The upstream could not be asked, so this is what it last said. */
  readonly stale: boolean;
}

export interface Pins {
  /** Throws `NotFoundError` or `UnavailableError`. */
  resolve(repository: Repository, tag: Tag, waiting: AbortSignal): Promise<Pinned>;
  /** Where the tag points, if that was asked for lately enough. */
  atHand(repository: Repository, tag: Tag): Digest | undefined;
  /** Whether a tag of the repository was seen to point at the digest lately. */
  isTagged(scope: string, digest: Digest): boolean;
}

export interface PinLifetimes {
  /** A tag is asked for again after this. */
  readonly tagMs: number;
  /** While the upstream fails, what it last said serves for so long. */
  readonly staleTagMs: number;
  /** That a tag does not exist is believed for so long. */
  readonly absentMs: number;
}

interface Pin {
  /** Undefined: the tag did not exist. */
  readonly digest: Digest | undefined;
  readonly resolvedAt: Date;
}

const maxPinsInMemory = 10_000;
const maxAbsentInMemory = 10_000;

interface PinDependencies {
  readonly source: (repository: Repository) => ContentSource;
  readonly state: SealedState;
  readonly flights: SingleFlight;
  readonly clock: Clock;
  readonly lifetimes: PinLifetimes;
  readonly lookAgain: LookAgain;
  readonly metrics: Metrics;
}

export function makePins(dependencies: PinDependencies): Pins {
  const { source, state, flights, clock, lifetimes, metrics } = dependencies;
  const pins = makePinMemory();
  const tagged = makeRecent<true>(maxPinsInMemory);
  const { isFresh, isUsable } = makePinAges(dependencies);
  const keepMs = Math.max(lifetimes.tagMs, lifetimes.staleTagMs);

  const ask = async (
    repository: Repository,
    tag: Tag,
    isRenewal: boolean,
    signal: AbortSignal,
  ): Promise<Pin> => {
    const name = pinName(repository, tag);
    // Somebody else may have asked while this one waited for its turn.
    const now = pins.get(name);
    if (now !== undefined && isFresh(repository, tag, now)) return now;
    const resolving = source(repository).resolveTag(repository.path, tag, signal, { isRenewal });
    const digest = await fromUpstream(resolving, signal);
    const former = await lastKnown(name);
    const pin = { digest, resolvedAt: clock.now() };
    pins.set(name, pin);
    if (digest !== undefined) await state.put(name, pin, { keepMs });
    // What upstream took away must not come back while it can't be asked.
    else if (former?.digest !== undefined) await state.delete(name);
    return pin;
  };

  const lastKnown = async (name: string): Promise<Pin | undefined> =>
    pins.get(name) ?? ((await state.get(name).catch(missIfUnavailable)) as Pin | undefined);

  const toPinned = (repository: Repository, tag: Tag, pin: Pin, stale: boolean): Pinned => {
    const scope = scopeOf(repository);
    if (pin.digest === undefined) {
      throw new NotFoundError('MANIFEST_UNKNOWN', `${scope}:${tag} does not exist upstream`);
    }
    tagged.set(`${scope}@${pin.digest}`, true);
    return { digest: pin.digest, stale };
  };

  return {
    async resolve(repository, tag, waiting) {
      const name = pinName(repository, tag);
      const known = await lastKnown(name);
      if (known !== undefined && isFresh(repository, tag, known)) {
        return toPinned(repository, tag, known, false);
      }
      try {
        const work = (signal: AbortSignal): Promise<Pin> =>
          ask(repository, tag, isUsable(known), signal);
        return toPinned(repository, tag, await flights.run(name, work, waiting), false);
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        const last = await lastOfAll(name, pins.get(name), state);
        if (!isUsable(last)) throw error;
        metrics.count('assay_stale_tags_total', { upstream: repository.upstream });
        return toPinned(repository, tag, last, true);
      }
    },
    atHand(repository, tag) {
      const known = pins.get(pinName(repository, tag));
      return known !== undefined && isFresh(repository, tag, known) ? known.digest : undefined;
    },
    isTagged: (scope, digest) => tagged.get(`${scope}@${digest}`) === true,
  };
}

/** Whether a pin counts still, and whether it will do where nothing newer can be had. */
function makePinAges({ clock, lifetimes, lookAgain }: PinDependencies) {
  const ageMs = (pin: Pin): number => clock.now().getTime() - pin.resolvedAt.getTime();
  const isFresh = (repository: Repository, tag: Tag, pin: Pin): boolean => {
    const scope = scopeOf(repository);
    const since = lookAgain.since(scope, `${scope}:${tag}`);
    if (since !== undefined && pin.resolvedAt < since) return false;
    const age = ageMs(pin);
    return age >= 0 && age < (pin.digest === undefined ? lifetimes.absentMs : lifetimes.tagMs);
  };

  const isUsable = (pin: Pin | undefined): pin is Pin & { readonly digest: Digest } =>
    pin?.digest !== undefined && Math.abs(ageMs(pin)) < lifetimes.staleTagMs;
  return { isFresh, isUsable };
}

/** Absent tags are apart, so that names that somebody invents push out nothing but each other. */
function makePinMemory() {
  const present = makeRecent<Pin>(maxPinsInMemory);
  const absent = makeRecent<Pin>(maxAbsentInMemory);
  return {
    get: (name: string): Pin | undefined => present.get(name) ?? absent.get(name),
    set(name: string, pin: Pin): void {
      const [into, outOf] = pin.digest === undefined ? [absent, present] : [present, absent];
      into.set(name, pin);
      outOf.delete(name);
    },
  };
}

/** What the upstream said last, whichever replica it was that asked. */
async function lastOfAll(
  name: string,
  own: Pin | undefined,
  state: SealedState,
): Promise<Pin | undefined> {
  const shared = (await state.get(name).catch(missIfUnavailable)) as Pin | undefined;
  if (own === undefined || shared === undefined) return own ?? shared;
  return own.resolvedAt < shared.resolvedAt ? shared : own;
}

export function pinName(repository: Repository, tag: Tag): string {
  return `pin/${scopeOf(repository)}:${tag}`;
}
