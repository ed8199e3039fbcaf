import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import { type Denial, describeDenial } from '../verdict/denial.ts';
import { refusal } from '../verdict/refusal.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { refuse } from './admission.ts';
import type { DenyList } from './deny-list.ts';
import { UnavailableError } from './gate-error.ts';
import type { VerdictCache } from './verdict-cache.ts';

/** The deny list, as decisions ask it: it goes before every verdict, exemption and memory. */
export interface DeniedContent {
  /** Why the digest may not be served in the repository, whatever vouches for it. */
  verdictOn(repository: Repository, digest: Digest | undefined): Verdict | undefined;
  /**
   * Throws `DeniedError` with that verdict, and `UnavailableError` while the list is unknown or
   * nothing may be decided here.
   */
  assertNotDenied(repository: Repository, digest: Digest | undefined): void;
  /** Whether nobody whom the verdict rests on was denied since. */
  letsStand(verdict: Verdict): boolean;
  /** What was decided while the list changed is decided again. */
  underOneList<T>(decide: () => Promise<T>): Promise<T>;
}

/** Decisions of one request, of which each met another list. */
const maxTries = 4;

interface DeniedContentDependencies {
  readonly verdicts: VerdictCache;
  readonly clock: Clock;
  /** See `GateDependencies`. */
  readonly heldBack?: (() => string | undefined) | undefined;
}

export function makeDeniedContent(
  list: DenyList,
  { verdicts, clock, heldBack }: DeniedContentDependencies,
): DeniedContent {
  const verdictOn = (repository: Repository, digest: Digest | undefined): Verdict | undefined => {
    const scope = scopeOf(repository);
    const denial = (digest && list.onDigest(digest)) ?? list.onRepository(scope);
    if (denial === undefined) return undefined;
    const because = describeDenial(denial);
    const verdict = refusal({ scope, subject: digest, reason: 'denylisted', because }, clock.now());
    verdicts.note(verdict);
    return verdict;
  };
  return {
    verdictOn,
    assertNotDenied(repository, digest) {
      list.assertKnown();
      const because = heldBack?.();
      if (because !== undefined) throw new UnavailableError('UNAVAILABLE', because);
      const verdict = verdictOn(repository, digest);
      if (verdict !== undefined) refuse([verdict]);
    },
    letsStand: (verdict) =>
      denialBehind(verdict, list) === undefined && !mayHideDenied(verdict, list),
    async underOneList(decide) {
      for (let tries = 0; tries < maxTries; tries += 1) {
        const generation = list.generation();
        const decided = await decide();
        if (generation === list.generation()) return decided;
      }
      throw new UnavailableError('UNAVAILABLE', 'the deny list changes faster than is decided');
    },
  };
}

/** The denial of somebody who signed what the verdict rests on, and whom it did not leave out. */
export function denialBehind(
  { reports, children }: Verdict,
  list: Pick<DenyList, 'onReport'>,
): Denial | undefined {
  for (const report of reports) {
    const denial = report.reason === 'denylisted' ? undefined : list.onReport(report);
    if (denial !== undefined) return denial;
  }
  for (const child of children) {
    const denial = denialBehind(child, list);
    if (denial !== undefined) return denial;
  }
  return undefined;
}

/** Not every report was kept: one of those that were left out may be by somebody denied since. */
function mayHideDenied(verdict: Verdict, list: DenyList): boolean {
  const { search, denyEpoch = 0, children, reports } = verdict;
  if (!list.hasSigners()) return false;
  const hides = (search?.unlisted ?? 0) > 0 || reports.some(isByUnnamedAuthority);
  if (hides && denyEpoch < list.epoch()) return true;
  return children.some((child) => mayHideDenied(child, list));
}

/** Of certificates of Sigstore earlier versions did not say which authorities stand above them. */
function isByUnnamedAuthority({ signer }: Verdict['reports'][number]): boolean {
  return signer?.kind === 'certificate' && signer.authorityFingerprints === undefined;
}
