/** A pattern over scopes, such as `ghcr.io/acme/*`, segment by segment. */
export interface ScopePattern {
  readonly text: string;
  readonly segments: readonly SegmentPattern[];
}

export type SegmentPattern =
  | { readonly kind: 'literal'; readonly text: string }
  /** Parts between stars; each star is any run of characters, also none. */
  | { readonly kind: 'glob'; readonly text: string; readonly parts: readonly string[] }
  /** `**`: one or more segments. */
  | { readonly kind: 'deep' };

const maxPatternLength = 512;
const firstSegment = /^[A-Za-z0-9._:*-]+$/;
const laterSegment = /^[A-Za-z0-9._*-]+$/;

/** Returns what is wrong with the text in place of a pattern. */
export function parseScopePattern(text: string): ScopePattern | { readonly problem: string } {
  if (text.length > maxPatternLength)
    return problem(`is longer than ${maxPatternLength} characters`);
  const words = text.split('/');
  const [first = '', ...rest] = words;
  if (words.includes('')) return problem('has an empty segment');
  if (words.some((word) => word !== '**' && word.includes('**'))) {
    return problem('has `**` beside other characters: it stands for whole segments');
  }
  if (!firstSegment.test(first) || !rest.every((word) => laterSegment.test(word))) {
    return problem(
      'has a character that no repository has; a pattern names repositories, without scheme, ' +
        'tag or digest, by letters, digits, `.`, `_`, `-`, `*`',
    );
  }
  if (words.length === 1 && first !== '**') {
    return problem(`matches no repository: write ${first}/** for all of that upstream`);
  }
  return { text, segments: words.map(toSegment) };
}

function problem(text: string): { readonly problem: string } {
  return { problem: text };
}

function toSegment(text: string): SegmentPattern {
  if (text === '**') return { kind: 'deep' };
  if (!text.includes('*')) return { kind: 'literal', text };
  return { kind: 'glob', text, parts: text.split('*') };
}

/** Whether a segment fits: linear in its length, since the first place for each part is the best. */
export function matchesGlob(parts: readonly string[], segment: string): boolean {
  const prefix = parts[0] ?? '';
  const suffix = parts.at(-1) ?? '';
  if (segment.length < prefix.length + suffix.length) return false;
  if (!segment.startsWith(prefix) || !segment.endsWith(suffix)) return false;
  const end = segment.length - suffix.length;
  let from = prefix.length;
  for (const part of parts.slice(1, -1)) {
    const at = segment.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
