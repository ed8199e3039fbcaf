import { type IdentityEntry, requirementsOf } from './identities.ts';
import { doubtsOfAttestation } from './attestation-lint.ts';
import { vouches } from './notation-level.ts';
import { attestationsOf, identitiesOf } from './requirement.ts';
import type { RuleSource } from './rules.ts';
import type { ScopePattern } from './scope.ts';
import { makeScopeIndex } from './scope-index.ts';
import { doubtsOfSigstore } from './sigstore-lint.ts';
import { doubtsOfTagRules } from './tag-lint.ts';
import type { LoadedTrustPolicy } from './trust-policy.ts';

/** Something that loads and is probably not meant. */
export interface PolicyFinding {
  /** Such as `rule 2 (line 14)` or `identity acme-release`. */
  readonly where: string;
  readonly message: string;
}

export interface LintOptions {
  readonly at: Date;
  /** Keys of the configured upstreams, if they are to be held against the patterns. */
  readonly upstreams?: readonly string[];
}

/** What `assay policy check` says of a policy that loads, in the order of its text. */
export function lintTrustPolicy(
  { identities, sources }: LoadedTrustPolicy,
  { at, upstreams }: LintOptions,
): readonly PolicyFinding[] {
  const lintShadow = makeShadowLint(sources);
  const used = new Set(sources.flatMap(identitiesUsedBy));
  return [
    ...[...identities].flatMap(([name, identity]) =>
      lintIdentity(name, identity, used.has(name), at),
    ),
    ...sources.flatMap((rule, number) => [
      ...lintEnd(rule, at),
      ...lintTags(rule, at),
      ...lintShadow(rule, number),
      ...lintPatterns(rule, upstreams),
      ...lintAttestations(rule),
    ]),
  ];
}

function identitiesUsedBy({ decision }: RuleSource): readonly string[] {
  return decision.kind === 'require' ? identitiesOf(decision.requirement) : [];
}

function lintIdentity(
  name: string,
  identity: IdentityEntry,
  isUsed: boolean,
  at: Date,
): readonly PolicyFinding[] {
  const where = `identity ${name}`;
  const messages: string[] = [];
  if (!isUsed) messages.push('no rule refers to it');
  const statements = requirementsOf(identity);
  if (statements.some((statement) => !vouches(statement))) {
    messages.push('level audit or skip, or an override of authenticity, vouches for nobody');
  }
  if (statements.some((statement) => vouches(statement) && statement.trustedIdentities === '*')) {
    messages.push('"*" trusts everybody who has a certificate of its trust stores');
  }
  if (identity.kind === 'sigstore') messages.push(...doubtsOfSigstore(identity.requirement, at));
  return messages.map((message) => ({ where, message }));
}

function lintAttestations({ name, decision }: RuleSource): readonly PolicyFinding[] {
  if (decision.kind !== 'require') return [];
  return attestationsOf(decision.requirement)
    .flatMap(doubtsOfAttestation)
    .map((message) => ({ where: name, message }));
}

function lintEnd({ name, decision }: RuleSource, at: Date): readonly PolicyFinding[] {
  const until = decision.kind === 'exempt' ? decision.until : decision.auditUntil;
  if (until === undefined || at < until) return [];
  const ended = until.toISOString();
  const message =
    decision.kind === 'exempt'
      ? `the exemption (${decision.owner}) ended ${ended}: the rule is as if absent`
      : `audit mode ended ${ended}: the rule is enforced`;
  return [{ where: name, message }];
}

function lintTags({ name, decision }: RuleSource, at: Date): readonly PolicyFinding[] {
  if (decision.kind !== 'require' || decision.tags === undefined) return [];
  return doubtsOfTagRules(decision.tags, at).map((message) => ({ where: name, message }));
}

const everything: ScopePattern = { text: '**', segments: [{ kind: 'deep' }] };

/** Finds rules that never decide, because an earlier one always does for all that they are for. */
function makeShadowLint(
  sources: readonly RuleSource[],
): (rule: RuleSource, number: number) => readonly PolicyFinding[] {
  const index = makeScopeIndex(
    sources.flatMap(({ digests, repositories, decision }, number) => {
      if (digests !== undefined || decision.kind === 'exempt') return [];
      return (repositories ?? []).map((pattern) => [pattern, number] as const);
    }),
  );
  return ({ name, repositories = [everything] }, number) => {
    const [first = [], ...others] = repositories.map((pattern) => index.covering(pattern));
    const shadow = first.find((one) => others.every((other) => other.includes(one)));
    if (shadow === undefined || shadow >= number) return [];
    const message = `never decides: ${sources[shadow]?.name} matches all of it first`;
    return [{ where: name, message }];
  };
}

function lintPatterns(
  { name, repositories }: RuleSource,
  upstreams: readonly string[] | undefined,
): readonly PolicyFinding[] {
  return (repositories ?? []).flatMap(({ text, segments: [first] }) => {
    const findings: PolicyFinding[] = [];
    if (/[A-Z]/.test(text)) {
      findings.push({ where: name, message: `${text} never matches: names are in lower case` });
    }
    if (first?.kind === 'literal' && upstreams?.includes(first.text) === false) {
      const message = `${text} never matches: there is no upstream ${first.text}`;
      findings.push({ where: name, message });
    }
    return findings;
  });
}
