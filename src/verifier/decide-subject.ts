import { setImmediate as othersTurn } from 'node:timers/promises';
import { isNonEmpty } from '../kernel/non-empty.ts';
import { scopeOf } from '../oci/repository.ts';
import type { Decision } from '../policies/decide.ts';
import type { RequireRule } from '../policies/policy.ts';
import type { Report } from '../verdict/report.ts';
import type { Candidate } from './candidate.ts';
import { discover } from './discover.ts';
import { examine } from './examine.ts';
import type { Subject, VerificationBasis, VerifierDependencies } from './verifier.ts';

export type SubjectDecision = Decision & { readonly reports: readonly Report[] };

/** Discovers, examines and decides for one subject, and stops as soon as it is trusted. */
export async function decideSubject(
  subject: Subject,
  rule: RequireRule,
  basis: VerificationBasis,
  dependencies: VerifierDependencies,
  signal: AbortSignal,
): Promise<SubjectDecision> {
  const { decide, formats, limits } = dependencies;
  const source = dependencies.source(subject.repository.upstream);
  if (source === undefined) {
    const because = `no upstream is configured for ${subject.repository.upstream}`;
    return { kind: 'inconclusive', reason: 'upstream-unavailable', because, reports: [] };
  }
  const discovery = await discover(subject, source, formats, limits, signal);
  const incomplete = discovery.unlisted;
  const reports: Report[] = [];
  let decision = decide(rule.requirement, { reports, incomplete });
  for await (const batch of discovery.batches) {
    reports.push(...(await examineBatch(batch, subject, rule, basis, dependencies, signal)));
    decision = decide(rule.requirement, { reports, incomplete });
    if (decision.kind === 'trusted') return { ...decision, reports };
  }
  if (discovery.left === 0 || decision.kind === 'inconclusive') return { ...decision, reports };
  // Signatures that nobody looked at are not absent ones.
  const because = `${discovery.left} referrers are past the limit of ${limits.maxCandidates} and were not examined`;
  return { kind: 'inconclusive', reason: 'limit-exceeded', because, reports };
}

async function examineBatch(
  batch: readonly Candidate[],
  subject: Subject,
  rule: RequireRule,
  { policy, trust }: VerificationBasis,
  { clock, metrics, sources }: VerifierDependencies,
  signal: AbortSignal,
): Promise<readonly Report[]> {
  if (!isNonEmpty(batch)) return [];
  const scope = scopeOf(subject.repository);
  const context = { ...sources, now: clock.now(), trust, scope, signal };
  const reports: Report[] = [];
  for (const candidate of batch) {
    if (candidate.kind === 'other') continue;
    // It may be made to cost milliseconds, and there may be dozens: other requests are not to wait.
    await othersTurn();
    for (const identity of rule.identities) {
      const requirement = policy.requirementOf(identity, scope);
      const report = await examine(candidate, subject.descriptor, identity, requirement, context);
      const { format, outcome } = report;
      metrics.count('assay_signatures_examined_total', { format, outcome });
      reports.push(report);
    }
  }
  return reports;
}
