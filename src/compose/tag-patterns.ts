import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import {
  type Place,
  readItems,
  readText,
  type ReportProblem,
} from '../policies/document-reader.ts';
import { exactly, parsePattern } from '../policies/text-match.ts';
import type { TextMatch } from '../verdict/sigstore-requirement.ts';

const maxPatterns = 100;
const wildcards = /^[A-Za-z0-9._*?-]+$/;

/**
 * Reads patterns of tags: `1.27*` with `*` for any characters and `?` for one, or a pattern of RE2
 * between slashes. Each must match all of a tag.
 */
export function readTagPatterns(
  place: Place,
  report: ReportProblem,
): NonEmpty<TextMatch> | undefined {
  const items = readItems(place, maxPatterns, report);
  const read = items?.map((item) => readTagPattern(item, report));
  // One that does not load has been reported, and so the list is not used.
  const patterns = read?.filter((pattern) => pattern !== undefined) ?? [];
  return isNonEmpty(patterns) ? patterns : undefined;
}

function readTagPattern(place: Place, report: ReportProblem): TextMatch | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  const [, expression] = /^\/(.+)\/$/.exec(text) ?? [];
  if (expression === undefined && !wildcards.test(text)) {
    return report(place, `${quoted(text)} is no pattern of tags: write 1.27* or /1\\.27\\..+/`);
  }
  if (expression === undefined && !/[*?]/.test(text)) return exactly(text);
  const pattern = parsePattern(expression ?? fromWildcards(text));
  return 'problem' in pattern ? report(place, pattern.problem) : { ...pattern, text };
}

function fromWildcards(text: string): string {
  return text.replace(/[.*?]/g, (sign) => (sign === '*' ? '.*' : sign === '?' ? '.' : '\\.'));
}
