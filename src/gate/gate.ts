import type { Transform } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { FleetFlight } from '../storage/fleet-flight.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { makeAbsences } from './absences.ts';
import { admitList } from './admission.ts';
import { admitBlob, blobAtHand } from './blobs.ts';
import { makeClosure } from './closure.ts';
import { type Decisions, makeDecisions } from './decision.ts';
import { NotFoundError } from './gate-error.ts';
import { type DeniedContent, makeDeniedContent } from './denied-content.ts';
import type { DenyList } from './deny-list.ts';
import { type FleetDependencies, makeFleetFlight, noFleet } from './fleet-flight.ts';
import { makeHotContent } from './hot-content.ts';
import { type LookAgain, neverAgain } from './look-again.ts';
import { makeManifests, type Manifests } from './manifests.ts';
import { freeMisses, type Misses } from './misses.ts';
import { makePins, type PinLifetimes } from './pin.ts';
import { listEvidence } from './referrers.ts';
import { makeRoots } from './roots.ts';
import type { SealedState } from './sealed.ts';
import { makeRunningAnswers } from './running-answers.ts';
import { makeSingleFlight } from './single-flight.ts';
import { makeTagDecisions } from './tag-decisions.ts';
import { makeTagHistory } from './tag-history.ts';
import { trailOf } from './trails.ts';
import type { Admission, Gate, TrustedBlob, TrustedManifest } from './trusted-content.ts';
import { type AdmitManifest, makeUnreadChildren } from './unread.ts';
import { fromUpstream } from './upstream-failure.ts';
import { makeVerdictCache } from './verdict-cache.ts';
import { makeVouchers } from './vouching.ts';

export interface GateDependencies {
  readonly source: (upstream: string) => ContentSource | undefined;
  readonly verifier: Verifier;
  readonly state: SealedState;
  /** Undefined: no other replica shares the state. */
  readonly fleet?: FleetDependencies | undefined;
  readonly denyList: DenyList;
  /** Why nothing may be decided here at the moment; undefined: it may. */
  readonly heldBack?: () => string | undefined;
  /** Undefined: what is remembered counts for as long as it lasts. */
  readonly lookAgain?: LookAgain;
  /** Undefined: nobody pays for asking in vain. */
  readonly misses?: Misses;
  readonly matching: (expected: Descriptor) => Transform;
  readonly clock: Clock;
  readonly lifetimes: PinLifetimes;
  readonly limits: GateLimits;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface GateLimits {
  /** Verifications and tag look-ups under way at the same time. */
  readonly maxFlights: number;
  /** The longest that one of them may take. */
  readonly flightDeadlineMs: number;
  /** Verdicts kept in memory, each counted as many times as it has reports. */
  readonly maxVerdictsInMemory: number;
  /** Admitted manifests kept in memory, and as much again for what is known of admitted blobs. */
  readonly maxHotBytes: number;
}

/** The gate, and what the admin listener may ask of it. */
export interface MadeGate extends Gate {
  verdictById(id: string): Promise<Verdict | undefined>;
}

export function makeGate(dependencies: GateDependencies): MadeGate {
  const { metrics, denyList, heldBack = () => undefined } = dependencies;
  const { source, flights, verdicts, closure, decisions, denied, manifests, blobs } =
    assemble(dependencies);
  const running = makeRunningAnswers(denyList, metrics);
  const count = makeCount(metrics);
  const decided = makeDecided(denied, decisions);
  return {
    manifestAtHand(repository, reference) {
      if (heldBack() !== undefined) return undefined;
      const known = manifests.atHand(repository, reference);
      return known && count(known);
    },
    async admitManifest(repository, reference, signal) {
      const admit = () => manifests.admit(repository, reference, signal);
      if ('digest' in reference) return count(await decided(repository, reference.digest, admit));
      // Where the tag points and what is known of that, in one turn.
      const trail = trailOf(repository, reference);
      const decide = () => dependencies.state.along(trail, admit);
      return count(await decided(repository, undefined, decide));
    },
    blobAtHand(repository, digest) {
      if (heldBack() !== undefined) return undefined;
      const known = blobAtHand(repository, digest, blobs);
      return known && count(known);
    },
    async admitBlob(repository, digest, signal) {
      const decide = () => admitBlob(repository, digest, signal, blobs);
      return count(await decided(repository, digest, decide));
    },
    whileSent: (repository, sent, cut) => running.watch(repository, sent, cut),
    admitReferrers: (repository, digest, signal) =>
      decided(repository, digest, async () => {
        const subject = await blobs.admitManifest(repository, digest, signal);
        if (subject === undefined) return admitList({ descriptors: [] });
        const from = { source: source(repository), closure };
        const list = (own: AbortSignal) => listEvidence(repository, digest, from, own);
        const key = `referrers/${scopeOf(repository)}@${digest}`;
        const listed = await flights.run(key, list, signal);
        return admitList({
          descriptors: listed.filter((each) => denyList.onDigest(each.digest) === undefined),
        });
      }),
    async listTags(repository, query, signal) {
      denied.assertNotDenied(repository, undefined);
      decisions.assertRuleIn(repository);
      const listing = source(repository).listTags(repository.path, query, signal);
      const page = await fromUpstream(listing, signal);
      if (page !== undefined) return admitList(page);
      throw new NotFoundError('NAME_UNKNOWN', `${scopeOf(repository)} does not exist upstream`);
    },
    verdictById: (id) => verdicts.byId(id),
  };
}

function makeCount(metrics: Metrics) {
  return <T extends { readonly admission: Admission }>(content: T): T => {
    const { by, cache } = content.admission;
    metrics.count('assay_admissions_total', { by, cache });
    return content;
  };
}

/** The deny list goes before everything, and again after it if it has changed. */
function makeDecided(denied: DeniedContent, decisions: Decisions) {
  return <T>(
    repository: Repository,
    digest: Digest | undefined,
    decide: () => Promise<T>,
  ): Promise<T> =>
    denied.underOneList(async () => {
      denied.assertNotDenied(repository, digest);
      decisions.assertRuleIn(repository);
      return await decide();
    });
}

/** What the gate consists of, from the lowest part up. */
function assemble(dependencies: GateDependencies) {
  const { state, denyList, clock, lifetimes, limits, metrics, matching } = dependencies;
  const { lookAgain = neverAgain, misses = freeMisses, heldBack } = dependencies;
  const source = sourceOf(dependencies);
  // What memory holds rests on what the state holds: a loss there ends it as another policy does.
  const verifier: Verifier = {
    ...dependencies.verifier,
    generation: () => dependencies.verifier.generation() + state.losses() + lookAgain.generation(),
  };
  const { maxFlights, flightDeadlineMs: deadlineMs } = limits;
  const flights = makeSingleFlight({ maxFlights, deadlineMs, toll: misses.toll });
  const absences = makeAbsences(lifetimes.absentMs, { clock, lookAgain });
  const verdicts = makeVerdictCache(state, { verdicts: limits.maxVerdictsInMemory });
  const closure = makeClosure(state, clock);
  const pins = makePins({ source, state, flights, clock, lifetimes, lookAgain, metrics });
  const denied = makeDeniedContent(denyList, { verdicts, clock, heldBack });
  const fleet = fleetOf(dependencies);
  const roots = makeRoots({
    verifier,
    source,
    verdicts,
    flights,
    fleet,
    denied,
    lookAgain,
    clock,
    metrics,
  });
  const vouchers = makeVouchers({ roots, closure, state, verifier, denied });
  const decisions = makeDecisions({
    roots,
    vouchers,
    closure,
    pins,
    verdicts,
    verifier,
    state,
    clock,
  });
  const tags = makeTags(dependencies, { roots, decisions, flights });
  const hot = makeHotContent<TrustedManifest>(limits.maxHotBytes, { verifier, clock });
  const hotBlobs = makeHotContent<TrustedBlob>(limits.maxHotBytes, { verifier, clock });
  const manifests = makeManifests({
    source,
    verifier,
    decisions,
    denied,
    closure,
    absences,
    misses,
    pins,
    tags,
    hot,
  });
  const admitManifest = unlessAbsent(manifests);
  // Not among those of the verifications that they lead to, which could leave them no room.
  const readings = makeSingleFlight({ maxFlights, deadlineMs, toll: misses.toll });
  const unread = makeUnreadChildren({ closure, flights: readings, clock, admitManifest });
  const parts = { source, matching, metrics, verifier, hot: hotBlobs };
  const blobs = { ...parts, vouchers, decisions, absences, unread, admitManifest };
  return { source, flights, verdicts, closure, decisions, denied, manifests, blobs };
}

function fleetOf({ fleet, metrics }: GateDependencies): FleetFlight {
  return fleet === undefined ? noFleet : makeFleetFlight(fleet, metrics);
}

function sourceOf({ source }: GateDependencies) {
  return (repository: Repository): ContentSource => {
    const found = source(repository.upstream);
    if (found !== undefined) return found;
    throw new NotFoundError('NAME_UNKNOWN', `no upstream is configured for ${scopeOf(repository)}`);
  };
}

function unlessAbsent({ admit }: Pick<Manifests, 'admit'>): AdmitManifest {
  return async (repository, digest, signal) => {
    try {
      return await admit(repository, { digest }, signal);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  };
}

function makeTags(
  { verifier, state, clock, lifetimes, metrics, log }: GateDependencies,
  parts: Pick<Parameters<typeof makeTagDecisions>[0], 'roots' | 'decisions' | 'flights'>,
) {
  const history = makeTagHistory(state, clock);
  const { tagMs } = lifetimes;
  return makeTagDecisions({ ...parts, verifier, history, clock, tagMs, metrics, log });
}
