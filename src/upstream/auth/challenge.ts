/** One authentication scheme that a server offers (RFC 9110, section 11.3). */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const maxLength = 8192;
const maxChallenges = 8;
const maxParameters = 16;

// RFC 9110, sections 5.6.2 (token), 5.6.4 (quoted-string, here of printable ASCII) and 11.2.
const tokenText = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const quotedText = '"((?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\x20-\\x7e])*)"';
const patterns = {
  separators: /[ \t,]*/y,
  scheme: new RegExp(`(${tokenText})(?=[ \\t,]|$)`, 'y'),
  space: /[ \t]*/y,
  // With the comma that must stand between it and whatever follows.
  parameter: new RegExp(
    `(${tokenText})[ \\t]*=[ \\t]*(?:(${tokenText})|${quotedText})[ \\t]*(?:,[ \\t,]*|$)`,
    'y',
  ),
  // What some schemes (NTLM, Negotiate) have in place of parameters.
  token68: /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y,
} as const;

/**
 * Parses WWW-Authenticate. Undefined for what breaks the grammar, repeats a parameter, or is
 * longer than 8 KiB, 8 challenges or 16 parameters each: a challenge that two readers take
 * apart differently may name two realms.
 */
export function parseChallenges(untrusted: string): readonly Challenge[] | undefined {
  if (untrusted.length > maxLength) return undefined;
  const scan = makeScanner(untrusted);
  const challenges: Challenge[] = [];
  scan(patterns.separators);
  while (!scan.atEnd()) {
    const scheme = scan(patterns.scheme)?.[1];
    const parameters = scheme === undefined ? undefined : parseParameters(scan);
    if (scheme === undefined || parameters === undefined) return undefined;
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    if (challenges.length > maxChallenges) return undefined;
    scan(patterns.separators);
  }
  return challenges;
}

function parseParameters(scan: Scanner): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  scan(patterns.space);
  let match = scan(patterns.parameter);
  if (match === undefined) scan(patterns.token68);
  for (; match !== undefined; match = scan(patterns.parameter)) {
    const [, name = '', word, text = ''] = match;
    const key = name.toLowerCase();
    if (parameters.has(key) || parameters.size === maxParameters) return undefined;
    parameters.set(key, word ?? text.replace(/\\(.)/g, '$1'));
  }
  return parameters;
}

interface Scanner {
  /** Takes what the sticky pattern matches here. */
  (pattern: RegExp): RegExpExecArray | undefined;
  atEnd(): boolean;
}

function makeScanner(text: string): Scanner {
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(text) ?? undefined;
    if (match !== undefined) position += match[0].length;
    return match;
  };
  return Object.assign(take, { atEnd: () => position === text.length });
}
