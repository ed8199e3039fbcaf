import type { Transform } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { admitList } from './admission.ts';
import { admitBlob, blobAtHand } from './blobs.ts';
import { makeClosure } from './closure.ts';
import { makeDecisions } from './decision.ts';
import { NotFoundError } from './gate-error.ts';
import { makeHotContent } from './hot-content.ts';
import { makeManifests } from './manifests.ts';
import { makePins, type PinLifetimes } from './pin.ts';
import { listEvidence } from './referrers.ts';
import { makeRoots } from './roots.ts';
import type { SealedState } from './sealed.ts';
import { makeSingleFlight } from './single-flight.ts';
import type { Admission, Gate, TrustedBlob, TrustedManifest } from './trusted-content.ts';
import { type AdmitManifest, makeUnreadChildren } from './unread.ts';
import { fromUpstream } from './upstream-failure.ts';
import { makeVerdictCache } from './verdict-cache.ts';
import { makeVouchers } from './vouching.ts';

export interface GateDependencies {
  readonly source: (upstream: string) => ContentSource | undefined;
  readonly verifier: Verifier;
  readonly state: SealedState;
  readonly matching: (expected: Descriptor) => Transform;
  readonly clock: Clock;
  readonly lifetimes: PinLifetimes;
  readonly limits: GateLimits;
  readonly metrics: Metrics;
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
  const { metrics } = dependencies;
  const { source, flights, verdicts, closure, decisions, manifests, blobs } =
    assemble(dependencies);
  const count = <T extends { readonly admission: Admission }>(content: T): T => {
    const { by, cache } = content.admission;
    metrics.count('assay_admissions_total', { by, cache });
    return content;
  };
  return {
    manifestAtHand(repository, reference) {
      const known = manifests.atHand(repository, reference);
      return known && count(known);
    },
    async admitManifest(repository, reference, signal) {
      decisions.assertRuleIn(repository);
      return count(await manifests.admit(repository, reference, signal));
    },
    blobAtHand(repository, digest) {
      const known = blobAtHand(repository, digest, blobs);
      return known && count(known);
    },
    async admitBlob(repository, digest, signal) {
      decisions.assertRuleIn(repository);
      return count(await admitBlob(repository, digest, signal, blobs));
    },
    async admitReferrers(repository, digest, signal) {
      decisions.assertRuleIn(repository);
      const subject = await blobs.admitManifest(repository, digest, signal);
      if (subject === undefined) return admitList({ descriptors: [] });
      const from = { source: source(repository), closure };
      const list = (own: AbortSignal) => listEvidence(repository, digest, from, own);
      const key = `referrers/${scopeOf(repository)}@${digest}`;
      return admitList({ descriptors: await flights.run(key, list, signal) });
    },
    async listTags(repository, query, signal) {
      decisions.assertRuleIn(repository);
      const listing = source(repository).listTags(repository.path, query, signal);
      const page = await fromUpstream(listing, signal);
      if (page !== undefined) return admitList(page);
      throw new NotFoundError('NAME_UNKNOWN', `${scopeOf(repository)} does not exist upstream`);
    },
    verdictById: (id) => verdicts.byId(id),
  };
}

/** What the gate consists of, from the lowest part up. */
function assemble(dependencies: GateDependencies) {
  const { verifier, state, clock, lifetimes, limits, metrics, matching } = dependencies;
  const source = (repository: Repository): ContentSource => {
    const found = dependencies.source(repository.upstream);
    if (found !== undefined) return found;
    throw new NotFoundError('NAME_UNKNOWN', `no upstream is configured for ${scopeOf(repository)}`);
  };
  const { maxFlights, flightDeadlineMs: deadlineMs } = limits;
  const flights = makeSingleFlight({ maxFlights, deadlineMs });
  const verdicts = makeVerdictCache(state, { verdicts: limits.maxVerdictsInMemory });
  const closure = makeClosure(state);
  const pins = makePins({ source, state, flights, clock, lifetimes });
  const roots = makeRoots({ verifier, source, verdicts, flights, clock, metrics });
  const vouchers = makeVouchers({ roots, closure, verifier });
  const decisions = makeDecisions({ roots, vouchers, closure, pins, verdicts, verifier, clock });
  const hot = makeHotContent<TrustedManifest>(limits.maxHotBytes, { verifier, clock });
  const hotBlobs = makeHotContent<TrustedBlob>(limits.maxHotBytes, { verifier, clock });
  const manifests = makeManifests({ source, verifier, decisions, closure, pins, hot });
  const admitManifest: AdmitManifest = async (repository, digest, signal) => {
    try {
      return await manifests.admit(repository, { digest }, signal);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  };
  // Not among those of the verifications that they lead to, which could leave them no room.
  const readings = makeSingleFlight({ maxFlights, deadlineMs });
  const unread = makeUnreadChildren({ closure, flights: readings, clock, admitManifest });
  const parts = { source, matching, metrics, verifier, hot: hotBlobs };
  const blobs = { ...parts, vouchers, decisions, unread, admitManifest };
  return { source, flights, verdicts, closure, decisions, manifests, blobs };
}
