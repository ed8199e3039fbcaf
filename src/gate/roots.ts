import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { DeniedContent } from './denied-content.ts';
import { missIfUnavailable } from './gate-error.ts';
import type { LookAgain } from './look-again.ts';
import { makeRecent } from './recent.ts';
import type { ReadManifest } from './manifest-reader.ts';
import { makeVerifications, type VerificationsDependencies } from './verifications.ts';
import { isDueForRenewal, isInForce } from './verdict-cache.ts';

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

interface RootDependencies extends VerificationsDependencies {
  readonly denied: DeniedContent;
  readonly lookAgain: LookAgain;
  readonly clock: Clock;
}

export function makeRoots(dependencies: RootDependencies): Roots {
  const { verifier, verdicts, denied, lookAgain, clock } = dependencies;

  const stands = (verdict: Verdict, ruleDigest: string): boolean =>
    isInForce(verdict, ruleDigest, clock) &&
    denied.letsStand(verdict) &&
    !isToBeLookedAt(verdict, lookAgain);

  const fly = makeVerifications(dependencies, stands);

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
