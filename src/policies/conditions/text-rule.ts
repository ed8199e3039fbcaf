import { isNonEmpty, type NonEmpty } from '../../kernel/non-empty.ts';
import type { TextMatch } from '../../verdict/sigstore-requirement.ts';
import { type Place, readItems, readText, type ReportProblem } from '../document-reader.ts';
import { exactly, parsePattern } from '../text-match.ts';
import type { TextRule } from './condition.ts';

const compiled = new Map<string, TextMatch>();
const maxCompiled = 1000;
const maxTexts = 64;

/** Whether the text fits; a pattern that does not compile fits nothing. */
export function fits(rule: TextRule, text: string): boolean {
  if (rule.kind === 'exact') return rule.text === text;
  const match = compiled.get(rule.text) ?? remember(rule.text);
  return match?.matches(text) ?? false;
}

function remember(text: string): TextMatch | undefined {
  const pattern = parsePattern(text);
  if ('problem' in pattern) return undefined;
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(text, pattern);
  return pattern;
}

export function exactRule(text: string): TextRule {
  const { kind } = exactly(text);
  return { kind, text };
}

/** One text, or a list of them. */
export function readTexts(place: Place, report: ReportProblem): NonEmpty<string> | undefined {
  if (place.node.kind !== 'list') {
    const text = readText(place, report);
    return text === undefined ? undefined : [text];
  }
  const texts = readItems(place, maxTexts, report)?.map((item) => readText(item, report));
  const known = texts?.filter((text) => text !== undefined) ?? [];
  return known.length === texts?.length && isNonEmpty(known) ? known : undefined;
}
