import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { FleetFlight } from '../storage/fleet-flight.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { fetchAndRead, type ReadManifest } from './manifest-reader.ts';
import type { SingleFlight } from './single-flight.ts';
import type { VerdictCache } from './verdict-cache.ts';

export interface VerificationsDependencies {
  readonly verifier: Verifier;
  readonly source: (repository: Repository) => ContentSource;
  readonly verdicts: VerdictCache;
  readonly flights: SingleFlight;
  readonly fleet: FleetFlight;
  readonly metrics: Metrics;
}

/** Reaches a verdict on a root; `former` is the one that it is to take the place of. */
export type ReachVerdict = (
  repository: Repository,
  root: Digest | ReadManifest,
  waiting: AbortSignal,
  former?: Verdict,
) => Promise<Verdict>;

/**
 * Verifies once for all who ask at the same time, here and on other replicas, whose verdict is as
 * good as one of our own where it `stands` under that rule.
 */
export function makeVerifications(
  { verifier, source, verdicts, flights, fleet, metrics }: VerificationsDependencies,
  stands: (verdict: Verdict, ruleDigest: string) => boolean,
): ReachVerdict {
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

  return (
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
}
