import { scopeOf } from '../oci/repository.ts';
import type { Decision } from '../policies/decide.ts';
import type { RequireRule } from '../policies/policy.ts';
import type { IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { Report } from '../verdict/report.ts';
import type { Search } from '../verdict/search.ts';
import type { SigningTimes } from '../verdict/signing-times.ts';
import type { Tally } from './agenda.ts';
import type { Budget } from './budget.ts';
import type { ReadFrom } from './candidate.ts';
import type { EnvelopeRoom } from './envelope-room.ts';
import { withDenial } from './denied-report.ts';
import { examine, type Judge } from './examine.ts';
import { examineLeads, type ExaminationPlan } from './examination-run.ts';
import type { Recollection } from './examined.ts';
import { inOrder } from './order.ts';
import { type Found, searchPlaces, type Where } from './places.ts';
import { isFreshEnough, signingTimesOf } from './signing-times.ts';
import { toldReports } from './told-reports.ts';
import type { Subject, VerificationBasis, VerifierDependencies } from './verifier.ts';

export type SubjectDecision = Decision & {
  readonly reports: readonly Report[];
  readonly search?: Search;
  readonly signed?: SigningTimes;
};

/** What one verification has beside its dependencies. */
export interface Verification {
  readonly basis: VerificationBasis;
  readonly budget: Budget;
  readonly recollection: Recollection;
  readonly room: EnvelopeRoom;
}

/**
 * Discovers, examines and decides for one subject, and stops as soon as it is trusted, by signatures
 * that are young enough for its tags if the rule asks for that.
 */
export async function decideSubject(
  subject: Subject,
  rule: RequireRule,
  verification: Verification,
  dependencies: VerifierDependencies,
): Promise<SubjectDecision> {
  const { limits } = dependencies;
  const source = dependencies.source(subject.repository.upstream);
  if (source === undefined) {
    const because = `no upstream is configured for ${subject.repository.upstream}`;
    return { kind: 'inconclusive', reason: 'upstream-unavailable', because, reports: [] };
  }
  const stop = new AbortController();
  const { basis } = verification;
  const budget = withStop(verification.budget, stop.signal);
  const identities = identitiesOf(rule, scopeOf(subject.repository), basis);
  const from = readFrom(source, identities, budget, dependencies);
  const { formats, isWanted } = from;
  const signatureRepository = dependencies.signatureRepository(subject.repository);
  const wanted = formats.filter(isWanted);
  const where: Where = { source, formats: wanted, signatureRepository, placeMs: limits.placeMs };
  const found = await searchPlaces(subject, where, budget.signal);
  const requirements = [...identities.values()].filter((each) => each !== undefined);
  const leads = inOrder(found.leads, wanted, requirements, basis.trust);
  const plan = planOf(subject, rule, identities, from, { ...verification, budget }, dependencies);
  try {
    return await examineAll(rule, { ...found, leads }, plan, dependencies);
  } finally {
    // What is still under way is nobody's.
    stop.abort();
  }
}

async function examineAll(
  rule: RequireRule,
  found: Found,
  plan: ExaminationPlan,
  { decide, limits, clock }: VerifierDependencies,
): Promise<SubjectDecision> {
  const { places, incomplete } = found;
  const tally: Tally = { unexamined: 0, passedOver: [] };
  const reports: Report[] = [];
  const decided = (decision: Decision): SubjectDecision => {
    const told = toldReports(reports, limits.maxReports);
    const unlisted = reports.length - told.length;
    const passedOver = tally.passedOver.slice(0, limits.maxReports);
    const search = { places, passedOver, unexamined: tally.unexamined, unlisted };
    return { ...decision, reports: told, search };
  };
  const trusted = (decision: Decision, signed: SigningTimes): SubjectDecision => ({
    ...decided(decision),
    signed,
  });
  const timesOf = (): SigningTimes => signingTimesOf(rule.requirement, reports, decide);
  for await (const some of examineLeads(found.leads, plan, tally)) {
    reports.push(...some);
    // Nothing else can make it trusted.
    if (!some.some(({ outcome }) => outcome === 'trusted')) continue;
    const decision = decide(rule.requirement, { reports, incomplete });
    if (decision.kind !== 'trusted') continue;
    const signed = timesOf();
    if (isFreshEnough(rule, signed, clock.now())) return trusted(decision, signed);
  }
  const decision = decide(rule.requirement, { reports, incomplete });
  if (decision.kind === 'trusted') return trusted(decision, timesOf());
  if (tally.unexamined === 0 || decision.kind !== 'untrusted') return decided(decision);
  // Signatures that nobody looked at are not absent ones.
  const ranOut = plan.from.budget.spent() ?? 'they are too many or too large';
  const because = `${tally.unexamined} possible signatures were not examined: ${ranOut}`;
  return decided({ kind: 'inconclusive', reason: 'limit-exceeded', because });
}

/** What each identity of the rule demands here. */
function identitiesOf(
  rule: RequireRule,
  scope: string,
  { policy }: VerificationBasis,
): ReadonlyMap<string, IdentityRequirement | undefined> {
  return new Map(rule.identities.map((name) => [name, policy.requirementOf(name, scope)]));
}

function readFrom(
  source: ReadFrom['source'],
  identities: ReadonlyMap<string, IdentityRequirement | undefined>,
  budget: Budget,
  { formats, limits }: VerifierDependencies,
): ReadFrom {
  const families = new Set([...identities.values()].map((requirement) => requirement?.family));
  const { readMs, maxEnvelopes } = limits;
  const isWanted: ReadFrom['isWanted'] = ({ family }) => families.has(family);
  return { source, formats, isWanted, budget, readMs, maxEnvelopes };
}

function planOf(
  subject: Subject,
  rule: RequireRule,
  identities: ReadonlyMap<string, IdentityRequirement | undefined>,
  from: ReadFrom,
  { basis, budget, recollection, room }: Verification,
  { clock, metrics, sources, aliases, judge, denied, limits }: VerifierDependencies,
): ExaminationPlan {
  const { descriptor, repository } = subject;
  const scope = scopeOf(repository);
  const now = clock.now();
  const { signal } = budget;
  const place = { scope, aliases: aliases(repository) };
  const context = { ...sources, now, trust: basis.trust, ...place, signal };
  const judging: Judge = (identity, statement) =>
    judge({ rule, identity, statement, scope, subject: descriptor.digest, now }, signal);
  return {
    subject,
    from,
    identities,
    recollection,
    room,
    concurrency: limits.concurrency,
    async examine(candidate, identity, requirement) {
      const found = await examine(candidate, descriptor, identity, requirement, context, judging);
      const report = withDenial(found, denied);
      const { format, outcome } = report;
      metrics.count('assay_signatures_examined_total', { format, outcome });
      return report;
    },
  };
}

function withStop(budget: Budget, stop: AbortSignal): Budget {
  return { ...budget, signal: AbortSignal.any([budget.signal, stop]) };
}
