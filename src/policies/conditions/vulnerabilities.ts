import { type Json, type JsonObject, isObject } from '../../kernel/json.ts';
import { listAt, objectsAt, type Statement, textAt, valueAt } from '../statement.ts';
import { problemOfCycloneDx } from './cyclonedx.ts';
import { type Severity } from './condition.ts';
import { familyOf } from './predicate-types.ts';

/** One finding of a scan; the severity is undefined where nobody knows it. */
export interface Vulnerability {
  readonly id: string;
  readonly severity: Severity | 'none' | undefined;
}

export type Vulnerabilities = readonly Vulnerability[] | { readonly problem: string };

const words: ReadonlyMap<string, Severity | 'none'> = new Map([
  ['none', 'none'],
  ['info', 'negligible'],
  ['informational', 'negligible'],
  ['negligible', 'negligible'],
  ['minimal', 'negligible'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['high', 'high'],
  ['important', 'high'],
  ['critical', 'critical'],
]);

const order: readonly (Severity | 'none')[] = [
  'none',
  'negligible',
  'low',
  'medium',
  'high',
  'critical',
];

export function rankOf(severity: Severity | 'none'): number {
  return order.indexOf(severity);
}

/** What a scan found, or why that can't be told: a result of an unknown shape is not a clean one. */
export function vulnerabilitiesOf({ predicateType, predicate }: Statement): Vulnerabilities {
  const family = familyOf(predicateType);
  if (family === 'cyclonedx') return readCycloneDxFindings(predicate);
  const result = valueAt(predicate, 'scanner', 'result');
  if (family === 'inTotoVulnerabilities') return readInToto(result);
  return readTrivy(result) ?? readGrype(result) ?? unreadable('what the scanner found');
}

function unreadable(what: string): { readonly problem: string } {
  return { problem: `${what} is of no shape that is known here` };
}

/** in-toto Attestation Framework, predicate vulns: a list with severities by several methods. */
function readInToto(result: Json | undefined): Vulnerabilities {
  const found = objectsAt({ found: result ?? null }, 'found');
  if (found === undefined) return unreadable('the list of vulnerabilities');
  return found.map((item) => {
    const inner = valueAt(item, 'vulnerability');
    const finding = isObject(inner) ? inner : item;
    const scores = (listAt(finding, 'severity') ?? []).map((entry) => valueAt(entry, 'score'));
    return { id: textAt(finding, 'id') ?? '', severity: worst(scores.map(severityOf)) };
  });
}

function readTrivy(result: Json | undefined): Vulnerabilities | undefined {
  const targets = objectsAt(result, 'Results');
  if (targets === undefined) return undefined;
  const found: Vulnerability[] = [];
  for (const target of targets) {
    // Absent where a target has none.
    if (target['Vulnerabilities'] === undefined) continue;
    const listed = objectsAt(target, 'Vulnerabilities');
    if (listed === undefined) return undefined;
    found.push(...listed.map((item) => toVulnerability(item, 'VulnerabilityID', 'Severity')));
  }
  return found;
}

function readGrype(result: Json | undefined): Vulnerabilities | undefined {
  return objectsAt(result, 'matches')?.map(({ vulnerability = null }) =>
    toVulnerability(vulnerability, 'id', 'severity'),
  );
}

function toVulnerability(item: Json, id: string, severity: string): Vulnerability {
  return { id: textAt(item, id) ?? '', severity: severityOf(valueAt(item, severity)) };
}

// CycloneDX, impact analysis states: these say that it does not bite.
const settled = ['resolved', 'resolved_with_pedigree', 'false_positive', 'not_affected'];

/** A document without the list is no scan, so it says nothing of vulnerabilities. */
function readCycloneDxFindings(predicate: Json): Vulnerabilities {
  const problem = problemOfCycloneDx(predicate);
  if (problem !== undefined) return { problem };
  const found = objectsAt(predicate, 'vulnerabilities');
  if (found === undefined) return { problem: 'the CycloneDX document lists no vulnerabilities' };
  return found
    .filter((item) => !settled.includes(textAt(item, 'analysis', 'state') ?? ''))
    .map((item: JsonObject) => {
      const ratings = objectsAt(item, 'ratings') ?? [];
      const given = ratings.flatMap(({ severity, score }) => [severity, score]);
      return { id: textAt(item, 'id') ?? '', severity: worst(given.map(severityOf)) };
    });
}

function worst(severities: readonly Vulnerability['severity'][]): Vulnerability['severity'] {
  return severities
    .filter((severity) => severity !== undefined)
    .toSorted((a, b) => rankOf(b) - rankOf(a))
    .at(0);
}

/** A word, or a CVSS score (v3.1 and v4.0, Qualitative Severity Rating Scale). */
function severityOf(given: Json | undefined): Vulnerability['severity'] {
  if (typeof given === 'string') {
    const text = given.trim().toLowerCase();
    return (
      words.get(text) ?? (/^\d{1,2}(?:\.\d{1,2})?$/.test(text) ? ofScore(Number(text)) : undefined)
    );
  }
  return typeof given === 'number' ? ofScore(given) : undefined;
}

function ofScore(score: number): Vulnerability['severity'] {
  if (!(score >= 0 && score <= 10)) return undefined;
  if (score === 0) return 'none';
  if (score < 4) return 'low';
  if (score < 7) return 'medium';
  return score < 9 ? 'high' : 'critical';
}
