import type { Check } from '../verdict/check.ts';
import { describeDenial } from '../verdict/denial.ts';
import type { Report } from '../verdict/report.ts';
import type { DeniedEvidence } from './verifier.ts';

/** Whatever else was found of it: who is on the deny list vouches for nothing. */
export function withDenial(report: Report, denied: Pick<DeniedEvidence, 'onReport'>): Report {
  const denial = denied.onReport(report);
  if (denial === undefined) return report;
  const check: Check = {
    id: 'not-denied',
    outcome: 'failed',
    enforcement: 'enforce',
    rule: 'the deny list',
    because: describeDenial(denial),
  };
  // First, so that it is what stopped the signature.
  const checks = [check, ...report.checks];
  return { ...report, outcome: 'untrusted', reason: 'denylisted', checks };
}

/** What somebody on the deny list has signed is not served for want of a better signature. */
export function isByDenied(reports: readonly Report[]): boolean {
  return reports.some(({ reason }) => reason === 'denylisted');
}
