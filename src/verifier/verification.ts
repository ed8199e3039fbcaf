import { createHash } from 'node:crypto';
import { randomHex } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ExemptRule, RequireRule, Rule } from '../policies/policy.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { Verdict, Waiver } from '../verdict/verdict.ts';
import { decideSubject } from './decide-subject.ts';
import { earliest, lifetimeEnd } from './lifetime.ts';
import { verifyPlatforms } from './platforms.ts';
import type {
  Governing,
  Subject,
  VerificationBasis,
  Verifier,
  VerifierDependencies,
} from './verifier.ts';

/** Evidence to verdict, by the policy and trust material in force when the verification began. */
export function makeVerifier(dependencies: VerifierDependencies): Verifier {
  const { basis, clock, metrics, log } = dependencies;
  const verify = async (subject: Subject, signal: AbortSignal): Promise<Verdict> => {
    const started = clock.monotonicMs();
    const verdict = await reach(subject, basis(), dependencies, signal);
    const seconds = (clock.monotonicMs() - started) / 1000;
    metrics.time('assay_verification_seconds', { kind: verdict.kind }, seconds);
    metrics.count('assay_verdicts_total', { kind: verdict.kind, reason: verdict.reason ?? '' });
    log.info(toLogFields(verdict, seconds), 'verdict');
    return verdict;
  };
  return {
    verify,
    governing: (repository, subject) => governing(repository, subject, basis(), clock.now()),
    hasRuleIn: (repository) => basis().policy.hasRuleIn(scopeOf(repository)),
    generation: () => basis().generation,
  };
}

async function reach(
  subject: Subject,
  basis: VerificationBasis,
  dependencies: VerifierDependencies,
  signal: AbortSignal,
): Promise<Verdict> {
  const checkedAt = dependencies.clock.now();
  const { repository, descriptor } = subject;
  const { rule, digest: ruleDigest } = governing(repository, descriptor.digest, basis, checkedAt);
  const common = {
    id: randomHex(6),
    scope: scopeOf(repository),
    subject: descriptor.digest,
    ...(rule !== undefined && { rule: rule.name }),
    checkedAt,
    ruleDigest,
  };
  const remembered = lifetimeEnd(checkedAt, dependencies.lifetimes.untrustedMs, rule?.until);
  if (rule === undefined) {
    const because = `no rule of the trust policy matches ${common.scope}`;
    const refusal = { kind: 'untrusted', reason: 'no-rule', because } as const;
    return { ...common, ...refusal, reports: [], children: [], expiresAt: remembered };
  }
  if (rule.kind === 'exempt') return exempted(common, rule, checkedAt, dependencies);
  const own = await decideSubject(subject, rule, basis, dependencies, signal);
  const children =
    own.kind !== 'trusted' && rule.covers === 'platforms' && subject.manifest.kind === 'index'
      ? await verifyPlatforms(subject, dependencies, signal, (child) =>
          reach(child, basis, dependencies, signal),
        )
      : undefined;
  const decision = children?.decision ?? own;
  const waiver: Waiver | undefined =
    decision.kind !== 'trusted' && rule.audit !== undefined
      ? { kind: 'audit', until: rule.audit.until }
      : undefined;
  const reports = own.reports;
  const verdicts = children?.verdicts ?? [];
  return {
    ...common,
    kind: decision.kind,
    ...(decision.reason !== undefined && { reason: decision.reason }),
    because: decision.because,
    ...(waiver !== undefined && { waiver }),
    reports,
    children: verdicts,
    expiresAt: endOf(decision.kind, rule, { reports, verdicts }, checkedAt, dependencies),
    ...(decision.kind === 'inconclusive' && { retryAfterSeconds: 5 }),
  };
}

function endOf(
  kind: Verdict['kind'],
  rule: RequireRule,
  grounds: { reports: Verdict['reports']; verdicts: readonly Verdict[] },
  checkedAt: Date,
  { lifetimes, limits }: VerifierDependencies,
): Date {
  if (kind === 'inconclusive' && rule.audit === undefined) return checkedAt;
  if (kind !== 'trusted') return lifetimeEnd(checkedAt, lifetimes.untrustedMs, rule.until);
  const trusted = grounds.reports.filter((report) => report.outcome === 'trusted');
  const permissive = trusted.some((report) => report.loggedFailures > 0);
  const longest = permissive
    ? Math.min(limits.permissiveMs, lifetimes.trustedMs)
    : lifetimes.trustedMs;
  return earliest(
    lifetimeEnd(checkedAt, longest, rule.until),
    ...trusted.map((report) => report.validUntil),
    ...grounds.verdicts.map((verdict) => verdict.expiresAt),
  );
}

function exempted(
  common: Pick<Verdict, 'id' | 'scope' | 'subject' | 'checkedAt' | 'ruleDigest'>,
  { reason, owner, until }: ExemptRule,
  checkedAt: Date,
  { lifetimes }: VerifierDependencies,
): Verdict {
  return {
    ...common,
    kind: 'untrusted',
    reason: 'exempted',
    because: `not verified: exempted until ${until.toISOString()} (${reason}, ${owner})`,
    waiver: { kind: 'exemption', reason, owner, until },
    reports: [],
    children: [],
    expiresAt: lifetimeEnd(checkedAt, lifetimes.trustedMs, until),
  };
}

function governing(
  repository: Repository,
  subject: Digest,
  { policy, trust }: VerificationBasis,
  at: Date,
): Governing {
  const rule = policy.ruleFor(scopeOf(repository), subject, at);
  return { rule, digest: rule === undefined ? 'no-rule' : digestOfRule(rule, trust) };
}

const ruleDigests = new WeakMap<TrustMaterial, Map<string, string>>();

/** The rule with everything it refers to; worked out once for each rule and trust material. */
function digestOfRule(rule: Rule, trust: TrustMaterial): string {
  const known = ruleDigests.get(trust) ?? new Map<string, string>();
  ruleDigests.set(trust, known);
  const audited = rule.kind === 'require' && rule.audit !== undefined;
  const key = `${rule.digest} ${audited ? 'audit' : ''}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const hash = createHash('sha256').update(key);
  const stores = rule.kind === 'require' ? rule.trustStores : [];
  for (const store of stores) hash.update(`\n${store} ${trust.notationStoreDigest(store)}`);
  const digest = hash.digest('hex');
  known.set(key, digest);
  return digest;
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
