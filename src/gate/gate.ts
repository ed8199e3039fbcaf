import type { Transform } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import type { Reference, Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { admit, admitList } from './admission.ts';
import { admitBlob, type BlobDependencies } from './blobs.ts';
import { makeClosure } from './closure.ts';
import { makeDecisions } from './decision.ts';
import { isReferrersList, mayNameEvidence } from './evidence.ts';
import { NotFoundError } from './gate-error.ts';
import { makeHotManifests } from './hot-manifests.ts';
import { fetchAndRead, type ReadManifest } from './manifest-reader.ts';
import { makePins, type PinLifetimes } from './pin.ts';
import { listEvidence } from './referrers.ts';
import { makeRoots } from './roots.ts';
import type { SealedState } from './sealed.ts';
import { makeSingleFlight } from './single-flight.ts';
import type { Admission, Gate, TrustedManifest } from './trusted-content.ts';
import { type AdmitManifest, makeUnreadChildren } from './unread.ts';
import { fromUpstream } from './upstream-failure.ts';
import { makeVerdictCache } from './verdict-cache.ts';
import { makeVouchers } from './voucher.ts';

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
  /** Admitted manifests kept in memory. */
  readonly maxHotBytes: number;
}

/** The gate, and what the admin listener may ask of it. */
export interface MadeGate extends Gate {
  verdictById(id: string): Promise<Verdict | undefined>;
}

export function makeGate(dependencies: GateDependencies): MadeGate {
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
  const hot = makeHotManifests(limits.maxHotBytes, { verifier, clock });
  const pins = makePins({ source, state, flights, clock, lifetimes });
  const roots = makeRoots({ verifier, source, verdicts, flights, clock, metrics });
  const vouchers = makeVouchers({ roots, closure, verifier });
  const decisions = makeDecisions({ roots, vouchers, closure, pins, verdicts, verifier, clock });

  const read = async (
    repository: Repository,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<ReadManifest> => {
    try {
      return await fetchAndRead(repository, digest, source(repository), signal);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return decisions.deny(repository, digest, 'malformed-manifest', error.message);
    }
  };

  const hotManifest = (
    repository: Repository,
    digest: Digest,
    tag: Tag | undefined,
  ): TrustedManifest | undefined => {
    const known = hot.get(scopeOf(repository), digest);
    const isHere = known?.admission.by !== 'evidence' || mayNameEvidence(tag);
    return isHere ? known : undefined;
  };

  const decide = async (
    repository: Repository,
    digest: Digest,
    tag: Tag | undefined,
    signal: AbortSignal,
  ): Promise<TrustedManifest> => {
    const known = hotManifest(repository, digest, tag);
    if (known !== undefined) return known;
    const scope = scopeOf(repository);
    const generation = verifier.generation();
    const found = await read(repository, digest, signal);
    const voucher = await decisions.onManifest(repository, found, tag, signal);
    const { manifest, bytes, descriptor } = found;
    // The children of a list of referrers are no parts of anything: each is decided on by itself.
    const isList = voucher.by === 'evidence' && isReferrersList(manifest);
    const recorded = isList ? 'written' : await closure.record(scope, digest, manifest);
    const admitted = admit({ bytes, descriptor }, voucher, 'state');
    // What the state did not take is tried again with the next request.
    if (recorded === 'written') hot.set(scope, admitted, generation);
    return admitted;
  };

  const count = ({ admission: { by, cache } }: { readonly admission: Admission }): void =>
    metrics.count('assay_admissions_total', { by, cache });

  const admitManifest = async (
    repository: Repository,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<TrustedManifest> => {
    decisions.assertRuleIn(repository);
    const tag = 'tag' in reference ? reference.tag : undefined;
    const pinned =
      'tag' in reference
        ? await pins.resolve(repository, reference.tag, signal)
        : { digest: reference.digest, stale: false };
    const admitted = await decide(repository, pinned.digest, tag, signal);
    count(admitted);
    return pinned.stale ? withStaleWarning(admitted) : admitted;
  };

  const admitByDigest: AdmitManifest = async (repository, digest, signal) => {
    try {
      return await decide(repository, digest, undefined, signal);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  };
  const unread = makeUnreadChildren({
    closure,
    // Not among those of the verifications that they lead to, which could leave them no room.
    flights: makeSingleFlight({ maxFlights, deadlineMs }),
    clock,
    admitManifest: admitByDigest,
  });
  const blobs: BlobDependencies = {
    source,
    vouchers,
    decisions,
    matching,
    metrics,
    unread,
    admitManifest: admitByDigest,
  };

  return {
    manifestAtHand(repository, reference) {
      const tag = 'tag' in reference ? reference.tag : undefined;
      const digest = 'tag' in reference ? pins.atHand(repository, reference.tag) : reference.digest;
      const known = digest && hotManifest(repository, digest, tag);
      if (known !== undefined) count(known);
      return known;
    },
    admitManifest,
    async admitBlob(repository, digest, signal) {
      decisions.assertRuleIn(repository);
      const blob = await admitBlob(repository, digest, signal, blobs);
      count(blob);
      return blob;
    },
    async admitReferrers(repository, digest, signal) {
      decisions.assertRuleIn(repository);
      const subject = await admitByDigest(repository, digest, signal);
      if (subject === undefined) return admitList({ descriptors: [] });
      const from = { source: source(repository), closure };
      return admitList({ descriptors: await listEvidence(repository, digest, from, signal) });
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

function withStaleWarning(manifest: TrustedManifest): TrustedManifest {
  const warning = 'the upstream can not be asked: this tag may have moved';
  const warnings = [...manifest.admission.warnings, warning];
  return { ...manifest, admission: { ...manifest.admission, warnings } };
}
