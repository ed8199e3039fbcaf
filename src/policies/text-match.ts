import { RE2JS } from 're2js';
import { messageOf } from '../kernel/tagged-error.ts';
import type { TextMatch } from '../verdict/sigstore-requirement.ts';

/** Longer than any name that a certificate or predicate has; what is longer matches no pattern. */
const maxTextLength = 8192;
export const maxPatternLength = 1024;

export function exactly(text: string): TextMatch {
  return { kind: 'exact', text, matches: (value) => value === text };
}

/**
 * A pattern of RE2 that must match all of a text, in linear time. As in RE2, `.` is no line break
 * and `$` is the very end. Returns what is wrong with it in place of a match.
 */
export function parsePattern(text: string): TextMatch | { readonly problem: string } {
  if (text.length > maxPatternLength) {
    return { problem: `is longer than ${maxPatternLength} characters` };
  }
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(text);
  } catch (error) {
    return { problem: `is no pattern of RE2: ${messageOf(error)}` };
  }
  return {
    kind: 'pattern',
    text,
    matches: (value) => value.length <= maxTextLength && pattern.matches(value),
  };
}
