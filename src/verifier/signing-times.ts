import type { RequireRule } from '../policies/policy.ts';
import type { Report } from '../verdict/report.ts';
import { olderOf, type SigningTime, type SigningTimes } from '../verdict/signing-times.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { VerifierDependencies } from './verifier.ts';

type Decide = VerifierDependencies['decide'];
type Timed = Report & { readonly signedAt: SigningTime };

/**
 * When what meets a requirement was signed. Attestations have an age of their own (`maxAge`), so
 * their signatures count only where they meet it without any plain one.
 */
export function signingTimesOf(
  requirement: RequireRule['requirement'],
  reports: readonly Report[],
  decide: Decide,
): SigningTimes {
  const isMetBy = (some: readonly Report[]): boolean =>
    decide(requirement, { reports: some, incomplete: undefined }).kind === 'trusted';
  const trusted = reports.filter(({ outcome }) => outcome === 'trusted');
  const attestations = trusted.filter(({ attestation }) => attestation !== undefined);
  const ageless = isMetBy(attestations) ? [] : attestations;
  const timed = trusted
    .filter((report) => !ageless.includes(report))
    .filter(isTimed)
    .toSorted((a, b) => b.signedAt.earliest.getTime() - a.signedAt.earliest.getTime());
  const needed = fewest(timed.length, (count) => isMetBy([...ageless, ...timed.slice(0, count)]));
  const freshest = needed === undefined ? undefined : timed[needed - 1]?.signedAt;
  const oldest = timed.reduce<SigningTime | undefined>(
    (known, { signedAt }) => olderOf(known, signedAt),
    undefined,
  );
  return { ...(oldest && { oldest }), ...(freshest && { freshest }) };
}

/** Of an index that is trusted for its platforms: as old as the oldest of them, if all are known. */
export function signingTimesOfAll(verdicts: readonly Verdict[]): SigningTimes {
  const weakest = (which: keyof SigningTimes): SigningTime | undefined => {
    const times = verdicts.map(({ signed }) => signed?.[which]);
    if (times.some((time) => time === undefined)) return undefined;
    return times.reduce(olderOf, undefined);
  };
  const oldest = weakest('oldest');
  const freshest = weakest('freshest');
  return { ...(oldest && { oldest }), ...(freshest && { freshest }) };
}

/** Whether tags may be served by these times: if not, there may yet be a fresher signature. */
export function isFreshEnough(
  { tags }: RequireRule,
  { freshest }: SigningTimes,
  now: Date,
): boolean {
  const ageMs = tags?.maxSignatureAgeMs;
  if (ageMs === undefined) return true;
  return freshest !== undefined && now.getTime() < freshest.earliest.getTime() + ageMs;
}

function isTimed(report: Report): report is Timed {
  return report.signedAt !== undefined;
}

/** The least count from 1 to `most` for which it holds, as it does for all greater ones. */
function fewest(most: number, holds: (count: number) => boolean): number | undefined {
  if (most === 0 || !holds(most)) return undefined;
  let [low, high] = [1, most];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
