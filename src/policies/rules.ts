import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import {
  type Fields,
  type Place,
  readFields,
  readInstant,
  readItems,
  readOneOf,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import type { Known } from './known.ts';
import type { Requirement } from './policy.ts';
import { readRequirement } from './requirement.ts';
import { parseScopePattern, type ScopePattern } from './scope.ts';
import { readTagRules, type TagRules } from './tag-rules.ts';

/** A rule as written, before it is held against a time. */
export interface RuleSource {
  /** `rule 2 (line 14)`. */
  readonly name: string;
  readonly line: number;
  /** At least one of the two is there; where both are, both must match. */
  readonly repositories: NonEmpty<ScopePattern> | undefined;
  readonly digests: ReadonlySet<Digest> | undefined;
  readonly decision: RuleDecision;
}

export type RuleDecision =
  | {
      readonly kind: 'require';
      readonly requirement: Requirement;
      readonly covers: 'index' | 'platforms';
      readonly auditUntil: Date | undefined;
      readonly tags: TagRules | undefined;
    }
  | {
      readonly kind: 'exempt';
      readonly reason: string;
      readonly owner: string;
      readonly until: Date;
    };

const maxPatterns = 1000;
const keys = {
  optional: ['repositories', 'digests', 'require', 'exempt', 'covers', 'mode', 'until', 'tags'],
  later: ['attestation', 'signedAs', 'where', 'tenants'],
};

export function readRule(
  place: Place,
  number: number,
  known: Known,
  report: ReportProblem,
): RuleSource | undefined {
  const fields = readFields(place, keys, report);
  if (fields === undefined) return undefined;
  const { line } = place.node.at;
  const repositoriesPlace = fields.get('repositories');
  const digestsPlace = fields.get('digests');
  if (repositoriesPlace === undefined && digestsPlace === undefined) {
    report(place, 'must say what it is for: repositories, digests, or both');
  }
  const repositories = repositoriesPlace && readPatterns(repositoriesPlace, report);
  const digests = digestsPlace && readDigests(digestsPlace, report);
  const decision = readDecision(fields, place, known, report);
  if (decision === undefined) return undefined;
  if (repositories === undefined && digests === undefined) return undefined;
  return { name: `rule ${number} (line ${line})`, line, repositories, digests, decision };
}

function readDecision(
  fields: Fields,
  place: Place,
  known: Known,
  report: ReportProblem,
): RuleDecision | undefined {
  const require = fields.get('require');
  const exempt = fields.get('exempt');
  if ((require === undefined) === (exempt === undefined)) {
    return report(place, 'must have exactly one of require and exempt');
  }
  if (require !== undefined) return readRequire(require, fields, known, report);
  for (const key of ['covers', 'mode', 'until', 'tags']) {
    const stray = fields.get(key);
    if (stray !== undefined) report(stray, 'has no meaning beside exempt');
  }
  return exempt && readExempt(exempt, report);
}

function readRequire(
  place: Place,
  fields: Fields,
  known: Known,
  report: ReportProblem,
): RuleDecision | undefined {
  const requirement = readRequirement(place, known, report);
  const coversPlace = fields.get('covers');
  const covers =
    coversPlace === undefined ? 'index' : readOneOf(coversPlace, ['index', 'platforms'], report);
  const auditUntil = readAudit(fields, report);
  const tagsPlace = fields.get('tags');
  const tags = tagsPlace && readTagRules(tagsPlace, report);
  if (requirement === undefined || covers === undefined) return undefined;
  return { kind: 'require', requirement, covers, auditUntil, tags };
}

function readAudit(fields: Fields, report: ReportProblem): Date | undefined {
  const mode = fields.get('mode');
  const until = fields.get('until');
  if (mode === undefined) {
    return until && report(until, 'has no meaning without mode: audit');
  }
  readOneOf(mode, ['audit'], report);
  if (until === undefined) return report(mode, 'audit must carry until: the time when it ends');
  return readInstant(until, report);
}

function readExempt(place: Place, report: ReportProblem): RuleDecision | undefined {
  const fields = readFields(place, { required: ['reason', 'owner', 'until'] }, report);
  const reasonPlace = fields?.get('reason');
  const ownerPlace = fields?.get('owner');
  const untilPlace = fields?.get('until');
  const reason = reasonPlace && readText(reasonPlace, report, 200);
  const owner = ownerPlace && readText(ownerPlace, report, 200);
  const until = untilPlace && readInstant(untilPlace, report);
  if (reason === undefined || owner === undefined || until === undefined) return undefined;
  return { kind: 'exempt', reason, owner, until };
}

function readPatterns(place: Place, report: ReportProblem): NonEmpty<ScopePattern> | undefined {
  const patterns = readItems(place, maxPatterns, report)?.map((item) => {
    const text = readText(item, report);
    const pattern = text === undefined ? undefined : parseScopePattern(text);
    if (pattern === undefined || !('problem' in pattern)) return pattern;
    return report(item, `${quoted(text ?? '')} ${pattern.problem}`);
  });
  const known = patterns?.filter((pattern) => pattern !== undefined) ?? [];
  return known.length === patterns?.length && isNonEmpty(known) ? known : undefined;
}

function readDigests(place: Place, report: ReportProblem): ReadonlySet<Digest> | undefined {
  const digests = readItems(place, maxPatterns, report)?.map((item) => {
    const text = readText(item, report);
    if (text === undefined) return undefined;
    return (
      parseDigest(text) ?? report(item, `${quoted(text)} is no digest: sha256: and 64 hex digits`)
    );
  });
  const known = digests?.filter((digest) => digest !== undefined) ?? [];
  return known.length === digests?.length && isNonEmpty(known) ? new Set(known) : undefined;
}
