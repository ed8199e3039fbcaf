import { forgetOldest } from '../kernel/bounded.ts';
import type { Digest } from '../oci/digest.ts';
import type { NotationTrustStoreName } from '../verdict/identity-requirement.ts';
import { digestOfMeaning, meaningOfIdentity, meaningOfRequirement } from './canonical.ts';
import { type Identities, type IdentityEntry, rootsOf, trustStoresOf } from './identities.ts';
import type { ExemptRule, RequireRule, Rule, TrustPolicy } from './policy.ts';
import { attestationsOf, identitiesOf } from './requirement.ts';
import type { RuleDecision, RuleSource } from './rules.ts';
import { makeScopeIndex } from './scope-index.ts';

/** What a rule answers, by time. */
interface TimedRule {
  readonly digests: ReadonlySet<Digest> | undefined;
  readonly current: Rule;
  /** When `current` ends. */
  readonly endsMs: number;
  /** What it is from then on; undefined: as if absent. */
  readonly afterwards: Rule | undefined;
}

/** Scopes of which the matching rules are remembered. */
const maxRemembered = 10_000;

/** Finds the first rule that matches, at a cost that hardly follows the number of rules. */
export function makeRuleIndex(
  sources: readonly RuleSource[],
  identities: Identities,
): Pick<TrustPolicy, 'rules' | 'ruleFor' | 'hasRuleIn'> {
  const declared = new Map(
    [...identities].map(([name, identity]) => [name, toDeclared(identity)] as const),
  );
  const timed = sources.map((source) => toTimed(source, declared));
  const patterns = sources.flatMap(({ repositories = [] }, number) =>
    repositories.map((pattern) => [pattern, number] as const),
  );
  const byScope = makeScopeIndex(patterns);
  const byDigest = indexDigests(sources);
  const remembered = new Map<string, readonly number[]>();

  const candidatesIn = (scope: string): readonly number[] => {
    const known = remembered.get(scope);
    if (known !== undefined) return known;
    const matching = byScope.matching(scope);
    const last = matching.findIndex((number) => timed[number] && isFinal(timed[number]));
    const candidates = last < 0 ? matching : matching.slice(0, last + 1);
    remembered.set(scope, candidates);
    forgetOldest(remembered, maxRemembered);
    return candidates;
  };

  return {
    rules: timed.map((rule) => rule.current),
    hasRuleIn: (scope) => byDigest.size > 0 || candidatesIn(scope).length > 0,
    ruleFor(scope, subject, at) {
      const pinned = byDigest.get(subject) ?? [];
      const candidates = candidatesIn(scope);
      const inOrder =
        pinned.length === 0 ? candidates : [...pinned, ...candidates].toSorted((a, b) => a - b);
      for (const number of inOrder) {
        const rule = timed[number];
        if (rule === undefined || rule.digests?.has(subject) === false) continue;
        const answer = at.getTime() < rule.endsMs ? rule.current : rule.afterwards;
        if (answer !== undefined) return answer;
      }
      return undefined;
    },
  };
}

/** No later rule is asked where this one matches. */
function isFinal({ digests, current }: TimedRule): boolean {
  return digests === undefined && current.kind === 'require';
}

/** Rules for digests in any repository. */
function indexDigests(sources: readonly RuleSource[]): ReadonlyMap<Digest, readonly number[]> {
  const index = new Map<Digest, number[]>();
  for (const [number, { repositories, digests = new Set<Digest>() }] of sources.entries()) {
    if (repositories !== undefined) continue;
    for (const digest of digests) {
      const numbers = index.get(digest) ?? [];
      numbers.push(number);
      index.set(digest, numbers);
    }
  }
  return index;
}

/** What a rule needs of an identity, worked out once. */
interface Declared {
  readonly digest: string;
  readonly trustStores: readonly NotationTrustStoreName[];
  readonly sigstoreRoots: readonly string[];
}

function toDeclared(identity: IdentityEntry): Declared {
  const digest = digestOfMeaning(meaningOfIdentity(identity));
  return { digest, trustStores: trustStoresOf(identity), sigstoreRoots: rootsOf(identity) };
}

function toTimed(
  { name, digests, decision }: RuleSource,
  declared: ReadonlyMap<string, Declared>,
): TimedRule {
  if (decision.kind === 'exempt') {
    const current = toExemptRule(name, decision);
    return { digests, current, endsMs: decision.until.getTime(), afterwards: undefined };
  }
  const afterwards = toRequireRule(name, { ...decision, auditUntil: undefined }, declared);
  const current = decision.auditUntil ? toRequireRule(name, decision, declared) : afterwards;
  const endsMs = decision.auditUntil?.getTime() ?? Infinity;
  return { digests, current, endsMs, afterwards };
}

function toExemptRule(
  name: string,
  { reason, owner, until }: Extract<RuleDecision, { kind: 'exempt' }>,
): ExemptRule {
  const meaning = { exempt: { reason, owner, until: until.toISOString() } };
  return { kind: 'exempt', name, digest: digestOfMeaning(meaning), reason, owner, until };
}

function toRequireRule(
  name: string,
  { requirement, covers, auditUntil, tags }: Extract<RuleDecision, { kind: 'require' }>,
  declared: ReadonlyMap<string, Declared>,
): RequireRule {
  const names = identitiesOf(requirement);
  const named = names.flatMap((identity) => {
    const found = declared.get(identity);
    return found === undefined ? [] : [[identity, found] as const];
  });
  const digest = digestOfMeaning({
    require: meaningOfRequirement(requirement),
    covers,
    auditUntil: auditUntil?.toISOString() ?? null,
    // How far signatures are looked for; what else is asked of tags changes no verdict.
    maxSignatureAgeMs: tags?.maxSignatureAgeMs ?? null,
    identities: Object.fromEntries(named.map(([identity, found]) => [identity, found.digest])),
  });
  return {
    kind: 'require',
    name,
    digest,
    until: auditUntil,
    requirement,
    covers,
    audit: auditUntil && { until: auditUntil },
    tags,
    trustStores: sortedSet(named.flatMap(([, found]) => found.trustStores)),
    sigstoreRoots: sortedSet(named.flatMap(([, found]) => found.sigstoreRoots)),
    identities: names,
    attestations: attestationsOf(requirement),
  };
}

function sortedSet<T extends string>(items: readonly T[]): readonly T[] {
  return [...new Set(items)].toSorted();
}
