import { randomHex } from '../kernel/clock.ts';
import { earliest } from '../kernel/earliest.ts';
import { scopeOf } from '../oci/repository.ts';
import type { ExemptRule, RequireRule } from '../policies/policy.ts';
import { noRuleFor } from '../verdict/refusal.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { type Budget, makeBudget } from './budget.ts';
import { decideSubject, type SubjectDecision } from './decide-subject.ts';
import { isByDenied } from './denied-report.ts';
import { type EnvelopeRoom, makeEnvelopeRoom } from './envelope-room.ts';
import { type Examined, makeExamined } from './examined.ts';
import { governing } from './governing.ts';
import { lifetimeEnd } from './lifetime.ts';
import { type PlatformsDecision, verifyPlatforms } from './platforms.ts';
import { signingTimesOfAll } from './signing-times.ts';
import type { Subject, VerificationBasis, Verifier, VerifierDependencies } from './verifier.ts';

const retryAfterSeconds = 5;

/** Evidence to verdict, by the policy and trust material in force when the verification began. */
export function makeVerifier(dependencies: VerifierDependencies): Verifier {
  const { basis, lifetimes, limits, denied, clock, metrics, log } = dependencies;
  const { maxRemembered, maxRememberedMs: maxAgeMs } = limits;
  const examined = makeExamined({ maxRemembered, maxAgeMs }, clock);
  const room = makeEnvelopeRoom(limits.maxBytesAtOnce);
  const verify = async (subject: Subject, signal: AbortSignal): Promise<Verdict> => {
    const started = clock.monotonicMs();
    const budget = makeBudget(limits, clock, signal);
    const verdict = await reach(subject, { basis: basis(), budget, examined, room }, dependencies);
    const seconds = (clock.monotonicMs() - started) / 1000;
    metrics.time('assay_verification_seconds', { kind: verdict.kind }, seconds);
    metrics.count('assay_verdicts_total', { kind: verdict.kind, reason: verdict.reason ?? '' });
    log.info(toLogFields(verdict, seconds), 'verdict');
    return verdict;
  };
  return {
    verify,
    governing: (repository, subject) =>
      governing(repository, subject, basis(), lifetimes, clock.now()),
    hasRuleIn: (repository) => basis().policy.hasRuleIn(scopeOf(repository)),
    // Neither ever goes back, so another one of either makes another sum.
    generation: () => basis().generation + denied.generation(),
  };
}

/** What a verification and those of the platforms that it leads to share. */
interface Shared {
  readonly basis: VerificationBasis;
  readonly budget: Budget;
  readonly examined: Examined;
  readonly room: EnvelopeRoom;
}

async function reach(
  subject: Subject,
  shared: Shared,
  dependencies: VerifierDependencies,
): Promise<Verdict> {
  const checkedAt = dependencies.clock.now();
  const { repository, descriptor } = subject;
  const { lifetimes } = dependencies;
  const { rule, digest: ruleDigest } = governing(
    repository,
    descriptor.digest,
    shared.basis,
    lifetimes,
    checkedAt,
  );
  const scope = scopeOf(repository);
  // From before anything was examined: what is denied meanwhile may not have been heeded.
  const denyEpoch = dependencies.denied.epoch();
  const begun = {
    id: randomHex(6),
    scope,
    subject: descriptor.digest,
    checkedAt,
    ruleDigest,
    ...(denyEpoch > 0 && { denyEpoch }),
  };
  if (rule === undefined) {
    const expiresAt = lifetimeEnd(checkedAt, lifetimes.untrustedMs, undefined);
    return { ...begun, ...noRule(scope), expiresAt };
  }
  if (rule.kind === 'exempt') {
    const expiresAt = lifetimeEnd(checkedAt, lifetimes.trustedMs, rule.until);
    return { ...begun, ...exempted(rule), expiresAt };
  }
  const judged = await judge(subject, rule, shared, ruleDigest, dependencies);
  return { ...begun, ...judged, expiresAt: endOf(judged, rule, checkedAt, dependencies) };
}

/** What a verdict says beside what it is about and when it ends. */
type Judgement = Omit<
  Verdict,
  'id' | 'scope' | 'subject' | 'checkedAt' | 'ruleDigest' | 'denyEpoch' | 'expiresAt'
>;

async function judge(
  subject: Subject,
  rule: RequireRule,
  shared: Shared,
  ruleDigest: string,
  dependencies: VerifierDependencies,
): Promise<Judgement> {
  const { basis, budget, examined, room } = shared;
  const { repository, descriptor } = subject;
  const { digest, mediaType, size } = descriptor;
  // Type and size are signed too, and an index may lie about those of its children.
  const asked = `${scopeOf(repository)}@${digest} ${mediaType} ${size} ${ruleDigest}`;
  const question = `${asked} ${basis.generation} ${dependencies.denied.generation()}`;
  const verification = { basis, budget, room, recollection: examined.of(question) };
  const own = await decideSubject(subject, rule, verification, dependencies);
  const isLeftToPlatforms = own.kind !== 'trusted' && rule.covers === 'platforms';
  const platforms = isLeftToPlatforms
    ? await verifyPlatforms(subject, dependencies, budget.signal, (child) =>
        reach(child, shared, dependencies),
      )
    : undefined;
  return toJudgement(own, platforms, rule);
}

function toJudgement(
  own: SubjectDecision,
  platforms: PlatformsDecision | undefined,
  rule: RequireRule,
): Judgement {
  const { kind, reason, because } = platforms?.decision ?? own;
  const children = platforms?.verdicts ?? [];
  return {
    kind,
    rule: rule.name,
    ...(reason !== undefined && { reason }),
    because,
    ...waived({ kind, reason, reports: own.reports }, rule),
    reports: own.reports,
    ...(own.search && { search: own.search }),
    children,
    ...(kind === 'trusted' && { signed: own.signed ?? signingTimesOfAll(children) }),
    ...(kind === 'inconclusive' && { retryAfterSeconds }),
  };
}

/** Audit mode serves what is not trusted, but nothing that somebody denied has signed. */
function waived(
  { kind, reason, reports }: Pick<SubjectDecision, 'kind' | 'reason' | 'reports'>,
  { audit }: RequireRule,
): Pick<Judgement, 'waiver'> {
  const isDenied = reason === 'denylisted' || isByDenied(reports);
  if (kind === 'trusted' || audit === undefined || isDenied) return {};
  return { waiver: { kind: 'audit', until: audit.until } };
}

function endOf(
  { kind, reports, children }: Judgement,
  rule: RequireRule,
  checkedAt: Date,
  { lifetimes, limits }: VerifierDependencies,
): Date {
  if (kind === 'inconclusive' && rule.audit === undefined) return checkedAt;
  if (kind !== 'trusted') return lifetimeEnd(checkedAt, lifetimes.untrustedMs, rule.until);
  const trusted = reports.filter((report) => report.outcome === 'trusted');
  const isPermissive = trusted.some((report) => report.loggedFailures > 0);
  const longest = isPermissive
    ? Math.min(limits.permissiveMs, lifetimes.trustedMs)
    : lifetimes.trustedMs;
  return earliest(
    lifetimeEnd(checkedAt, longest, rule.until),
    ...trusted.map((report) => report.validUntil),
    ...children.map((verdict) => verdict.expiresAt),
  );
}

function noRule(scope: string): Judgement {
  const { reason, because } = noRuleFor(scope);
  return { kind: 'untrusted', reason, because, reports: [], children: [] };
}

function exempted({ name, reason, owner, until }: ExemptRule): Judgement {
  return {
    kind: 'untrusted',
    rule: name,
    reason: 'exempted',
    because: `not verified: exempted until ${until.toISOString()} (${reason}, ${owner})`,
    waiver: { kind: 'exemption', reason, owner, until },
    reports: [],
    children: [],
  };
}

function toLogFields(verdict: Verdict, seconds: number): Record<string, unknown> {
  const trusted = verdict.reports.find((report) => report.outcome === 'trusted');
  return {
    verdict: verdict.id,
    kind: verdict.kind,
    reason: verdict.reason,
    repository: verdict.scope,
    digest: verdict.subject,
    rule: verdict.rule,
    signer: trusted?.signer?.subject,
    ms: Math.round(seconds * 1000),
  };
}
