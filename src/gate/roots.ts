import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import type { DeniedContent } from './denied-content.ts';
import { missIfUnavailable } from './gate-error.ts';
import type { FleetFlight } from './fleet-flight.ts';
import type { LookAgain } from './look-again.ts';
import { makeRecent } from './recent.ts';
import { fetchAndRead, type ReadManifest } from './manifest-reader.ts';
import type { SingleFlight } from './single-flight.ts';
import { isDueForRenewal, isInForce, type VerdictCache } from './verdict-cache.ts';

/** The verdicts of roots: what was asked for by itself, not as a part of something. */
export interface Roots {
  /**
   * The remembered verdict if it is in force; renews it in the background when its end is near.
   * Throws `UnavailableError` where the state can't be read.
   */
  inForce(repository: Repository, digest: Digest): Promise<Verdict | undefined>;
  /** Whether its last verdict is known without reading the state. */
  isAtHand(repository: Repository, digest: Digest): boolean;
  /** Whether the digest was a root before, whatever became of its verdict. */
  wasRoot(repository: Repository, digest: Digest): Promise<boolean>;
  /**
   * The verdict in force, or a new one: reached once for all who ask at the same time. Of what is
   * on the deny list it is untrusted.
   */
  verify(
    repository: Repository,
    root: Digest | ReadManifest,
    waiting: AbortSignal,
  ): Promise<Verdict>;
  /** Verifies anew in the background; one that finds nothing out is not tried again at once. */
  renew(repository: Repository, former: Verdict): void;
}

const renewalPauseMs = 10_000;
const maxRenewalsRemembered = 10_000;

export function makeRoots(dependencies: {
  readonly verifier: Verifier;
  readonly source: (repository: Repository) => ContentSource;
  readonly verdicts: VerdictCache;
  readonly flights: SingleFlight;
  readonly fleet: FleetFlight;
  readonly denied: DeniedContent;
  readonly lookAgain: LookAgain;
  readonly clock: Clock;
  readonly metrics: Metrics;
}): Roots {
  const { verifier, source, verdicts, flights, fleet, denied, clock, metrics } = dependencies;
  const { lookAgain } = dependencies;

  const reach = async (
    repository: Repository,
    root: Digest | ReadManifest,
    signal: AbortSignal,
  ): Promise<Verdict> => {
    const { descriptor, manifest } =
      typeof root === 'string'
        ? await fetchAndRead(repository, root, source(repository), signal)
        : root;
    const verdict = await verifier.verify({ repository, descriptor, manifest }, signal);
    // The children's are as good as if each had been asked for by itself, which comes next.
    await Promise.all([verdict, ...verdict.children].map((each) => verdicts.remember(each)));
    if (fleet.isShared) await verdicts.shareDenial(verdict);
    return verdict;
  };

  const stands = (verdict: Verdict, ruleDigest: string): boolean =>
    isInForce(verdict, ruleDigest, clock) &&
    denied.letsStand(verdict) &&
    !isToBeLookedAt(verdict, lookAgain);

  const fly = (
    repository: Repository,
    root: Digest | ReadManifest,
    waiting: AbortSignal,
    former?: Verdict,
  ): Promise<Verdict> => {
    const digest = typeof root === 'string' ? root : root.descriptor.digest;
    // Another basis is another question: a flight under the old one is no answer to it.
    const scope = scopeOf(repository);
    const key = `verify/${verifier.generation()}/${scope}@${digest}`;
    const basis = verifier.governing(repository, digest).digest;
    const fromOthers = async (): Promise<Verdict | undefined> => {
      const verdict = await verdicts.fromOthers(scope, digest);
      // What is to be renewed is no renewal of itself.
      return verdict && verdict.id !== former?.id && stands(verdict, basis) ? verdict : undefined;
    };
    const work = (signal: AbortSignal): Promise<Verdict> =>
      fleet.run(
        `${scope}@${digest}/${basis}`,
        fromOthers,
        () => reach(repository, root, signal),
        signal,
      );
    return flights.run(key, work, waiting, () =>
      metrics.count('assay_coalesced_total', { operation: 'verify' }),
    );
  };

  const inForce = async (repository: Repository, digest: Digest): Promise<Verdict | undefined> => {
    const verdict = await verdicts.last(scopeOf(repository), digest);
    if (verdict === undefined) return undefined;
    if (!stands(verdict, verifier.governing(repository, digest).digest)) return undefined;
    if (verdict.kind === 'trusted' && isDueForRenewal(verdict, clock)) renew(repository, verdict);
    return verdict;
  };

  const lastRenewals = makeRecent<number>(maxRenewalsRemembered);
  const renew = (repository: Repository, former: Verdict): void => {
    const { subject: digest } = former;
    if (digest === undefined) return;
    const name = `${scopeOf(repository)}@${digest}`;
    const now = clock.monotonicMs();
    if (now - (lastRenewals.get(name) ?? -Infinity) < renewalPauseMs) return;
    lastRenewals.set(name, now);
    fly(repository, digest, new AbortController().signal, former).catch(() => undefined);
  };

  return {
    inForce,
    renew,
    isAtHand: (repository, digest) => verdicts.isAtHand(scopeOf(repository), digest),
    wasRoot: async (repository, digest) =>
      (await verdicts.last(scopeOf(repository), digest)) !== undefined,
    async verify(repository, root, waiting) {
      const digest = typeof root === 'string' ? root : root.descriptor.digest;
      const known = await inForce(repository, digest).catch(missIfUnavailable);
      const verdict = known ?? (await fly(repository, root, waiting));
      // Last: it may have been denied while it was verified.
      return denied.verdictOn(repository, digest) ?? verdict;
    },
  };
}

function isToBeLookedAt({ scope, subject, checkedAt }: Verdict, lookAgain: LookAgain): boolean {
  const since = lookAgain.since(scope, `${scope}@${subject}`);
  return since !== undefined && checkedAt < since;
}
