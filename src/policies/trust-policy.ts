import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import type { Problem } from '../files/problem.ts';
import { readYaml, type YamlNode } from '../files/yaml.ts';
import { asSet, digestOfMeaning, meaningOfIdentity, meaningOfRequirement } from './canonical.ts';
import {
  makeReport,
  type Place,
  readFields,
  readInteger,
  readItems,
  type ReportProblem,
} from './document-reader.ts';
import { type Identities, readIdentities, requirementIn } from './identities.ts';
import type { Known } from './known.ts';
import { loadCel } from './load-cel.ts';
import type { TrustPolicy } from './policy.ts';
import { PolicyError } from './policy-error.ts';
import type { ReadReferredFile, ReadReferredKey, Referred } from './referred.ts';
import { makeRuleIndex } from './rule-index.ts';
import { readRule, type RuleSource } from './rules.ts';
import { meaningOfTagRules } from './tag-rules.ts';

/** A loaded policy together with what it was made of, for `assay policy check`. */
export interface LoadedTrustPolicy extends TrustPolicy {
  readonly identities: Identities;
  readonly sources: readonly RuleSource[];
}

/** Bounds of a policy, for whoever reads its file. */
export const maxPolicyBytes = 8 * 1024 * 1024;
const maxNodes = 1_000_000;
const maxRules = 100_000;

/**
 * Reads a trust policy (YAML). Throws `PolicyError` with all problems at once; `file` stands in
 * them. `readFile` yields the files that the policy names, by their paths as written in it, and
 * `readKey` the public keys that it names by URIs of key services.
 */
export async function loadTrustPolicy(
  text: string,
  file: string,
  readFile: ReadReferredFile,
  readKey?: ReadReferredKey,
): Promise<LoadedTrustPolicy> {
  const { root, problems: found } = readYaml(text, maxNodes);
  const problems: Problem[] = [...found];
  const referred = { readFile, ...(readKey && { readKey }) };
  const policy =
    root && (await readPolicy({ node: root, path: '' }, referred, makeReport(problems)));
  if (problems.length > 0 || policy === undefined) throw new PolicyError(file, problems);
  return policy;
}

async function readPolicy(
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<LoadedTrustPolicy | undefined> {
  const keys = { required: ['version', 'rules'], optional: ['revision', 'identities'] };
  const fields = readFields(place, keys, report);
  if (fields === undefined) return undefined;
  readVersion(fields.get('version'), report);
  const revisionPlace = fields.get('revision');
  const revision = revisionPlace && readInteger(revisionPlace, 0, report);
  const { identities, declared } = await readIdentities(fields.get('identities'), referred, report);
  const rules = fields.get('rules');
  const known = await gatherKnown(declared, rules);
  const sources = readRules(rules, known, report);
  return sources && makeTrustPolicy(revision, identities, sources);
}

function readVersion(place: Place | undefined, report: ReportProblem): void {
  if (place === undefined) return; // Reported as missing.
  const { node } = place;
  if (node.kind !== 'scalar' || node.value !== 1) report(place, 'must be 1');
}

/** CEL is loaded only where there is an expression. */
async function gatherKnown(
  identities: ReadonlySet<string>,
  rules: Place | undefined,
): Promise<Known> {
  if (rules === undefined || !hasKey(rules.node, 'where')) return { identities };
  const { compileExpression } = await loadCel();
  return {
    identities,
    checkExpression: (text) => {
      const compiled = compileExpression(text);
      if ('problem' in compiled) return compiled;
      const { loops, patterns } = compiled.shape;
      return { loops, patterns: patterns.filter((pattern) => pattern !== undefined) };
    },
  };
}

function hasKey(node: YamlNode, wanted: string): boolean {
  if (node.kind === 'list') return node.items.some((item) => hasKey(item, wanted));
  if (node.kind !== 'map') return false;
  return node.entries.some(({ key, value }) => key === wanted || hasKey(value, wanted));
}

function readRules(
  place: Place | undefined,
  known: Known,
  report: ReportProblem,
): NonEmpty<RuleSource> | undefined {
  const items = place && readItems(place, maxRules, report);
  const rules = items?.map((item, index) => readRule(item, index + 1, known, report));
  const sources = rules?.filter((rule) => rule !== undefined) ?? [];
  return isNonEmpty(sources) && sources.length === rules?.length ? sources : undefined;
}

function makeTrustPolicy(
  revision: number | undefined,
  identities: Identities,
  sources: readonly RuleSource[],
): LoadedTrustPolicy {
  const { rules, ruleFor, hasRuleIn } = makeRuleIndex(sources, identities);
  return {
    digest: digestOfPolicy(revision, identities, sources),
    revision,
    rules,
    identities,
    sources,
    ruleFor,
    hasRuleIn,
    requirementOf: (name, scope) => {
      const identity = identities.get(name);
      return identity && requirementIn(name, identity, scope);
    },
  };
}

function digestOfPolicy(
  revision: number | undefined,
  identities: Identities,
  sources: readonly RuleSource[],
): string {
  return digestOfMeaning({
    version: 1,
    revision: revision ?? null,
    identities: Object.fromEntries(
      [...identities].map(([name, identity]) => [name, meaningOfIdentity(identity)]),
    ),
    rules: sources.map(({ repositories, digests, decision }) => ({
      repositories: repositories ? asSet(repositories.map((pattern) => pattern.text)) : null,
      digests: digests ? asSet([...digests]) : null,
      decision:
        decision.kind === 'exempt'
          ? { ...decision, until: decision.until.toISOString() }
          : {
              ...decision,
              requirement: meaningOfRequirement(decision.requirement),
              auditUntil: decision.auditUntil?.toISOString() ?? null,
              tags: meaningOfTagRules(decision.tags),
            },
    })),
  });
}
