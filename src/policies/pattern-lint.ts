import type { TextRule } from './conditions/condition.ts';
import { parsePattern } from './text-match.ts';

const wild = /^(?:\.|\\S|\\w|\[\^[^\]]*\])[*+]/;

/**
 * What is doubtful in a pattern, though it must match all of a text: that it begins with anything,
 * that what it fixes ends in the middle of a name, or that its dots stand for any character.
 */
export function doubtsOfPattern({ kind, text }: TextRule): readonly string[] {
  if (kind === 'exact') return [];
  if (matchesAnything(text)) return [`pattern ${text} matches everything`];
  const fixed = fixedStart(text);
  const rest = text.slice(fixed.length);
  const doubts: string[] = [];
  if (fixed === '') doubts.push(`pattern ${text} says nothing of how the text begins`);
  else if (wild.test(rest) && endsWithinName(fixed)) {
    doubts.push(`pattern ${text} also matches names that begin like ${fixed}: end it with a slash`);
  }
  if (/[A-Za-z0-9]\.[A-Za-z0-9]/.test(text)) {
    doubts.push(`pattern ${text} has a dot that stands for any character: write \\. for a dot`);
  }
  return doubts;
}

/** The same of a pattern in CEL, whose `matches` looks anywhere in a text. */
export function doubtsOfSearch(text: string): readonly string[] {
  const isWhole = /^(?:\(\?[a-z]+\))?(?:\^|\\A)/.test(text) && /(?:\$|\\z)$/.test(text);
  return isWhole ? [] : [`matches("${text}") looks anywhere in the text: write ^ and $ around it`];
}

function matchesAnything(text: string): boolean {
  const pattern = parsePattern(text);
  const strangers = ['x', 'https://other.example/anything', 'somebody@other.example'];
  return !('problem' in pattern) && strangers.every((stranger) => pattern.matches(stranger));
}

/** The characters before the first one that means something else. */
function fixedStart(text: string): string {
  const start = /^(?:\\[^A-Za-z0-9]|\.(?![*+?{])|[^\\.[\](){}*+?|^$])*/.exec(text)?.[0] ?? '';
  // What is repeated, or is one of several, is not fixed.
  return /^[*+?{]/.test(text.slice(start.length)) ? start.slice(0, -1) : start;
}

/** `https://github.com/acme` before the repository is named: `acme-evil` begins like it. */
function endsWithinName(fixed: string): boolean {
  const [, path] = /^[a-z]+:\/\/(.*)$/.exec(fixed) ?? [];
  if (path === undefined || path.includes('@')) return false;
  return /[A-Za-z0-9_-]$/.test(path) && path.split('/').length <= 3;
}
