import type { TextMatch } from '../verdict/sigstore-requirement.ts';
import type { TextRule } from './conditions/condition.ts';
import { type Fields, readText, type ReportProblem } from './document-reader.ts';
import { exactly, parsePattern } from './text-match.ts';

/** Reads `NAME` or `NAMEPattern`; undefined where neither is there, or both. */
export function readMatch(
  name: string,
  fields: Fields,
  report: ReportProblem,
): TextMatch | undefined {
  const exactPlace = fields.get(name);
  const patternPlace = fields.get(`${name}Pattern`);
  if (exactPlace !== undefined && patternPlace !== undefined) {
    return report(patternPlace, `is one too many beside ${name}`);
  }
  const exact = exactPlace && readText(exactPlace, report);
  if (exact !== undefined) return exactly(exact);
  const text = patternPlace && readText(patternPlace, report);
  if (patternPlace === undefined || text === undefined) return undefined;
  const pattern = parsePattern(text);
  return 'problem' in pattern ? report(patternPlace, pattern.problem) : pattern;
}

/** The same as plain data. */
export function readTextRule(
  name: string,
  fields: Fields,
  report: ReportProblem,
): TextRule | undefined {
  const match = readMatch(name, fields, report);
  return match && { kind: match.kind, text: match.text };
}
