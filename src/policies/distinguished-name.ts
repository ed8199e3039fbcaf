import type { DistinguishedName } from '../verdict/identity-requirement.ts';

type Parsed = DistinguishedName | { readonly problem: string };

const attributeType = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;
const mandatory = ['C', 'ST', 'O'] as const;
const escapable = ' "#+,;<=>\\';

/**
 * A distinguished name as text (RFC 4514) under the rules of Notation's trusted identities: C, ST
 * (or S) and O are there, each type once, one attribute in each relative name, no `=#` (the hex
 * form, by which CVE-2023-25656 got in). Spaces around separators are dropped, as RFC 2253 did.
 */
export function parseDistinguishedName(text: string): Parsed {
  if (/=\s*#/.test(text)) return { problem: 'has a value that begins with `#`' };
  const attributes = new Map<string, string>();
  for (const part of splitUnescaped(text, ',')) {
    const attribute = parseAttribute(part);
    if ('problem' in attribute) return attribute;
    const { type, value } = attribute;
    if (attributes.has(type)) return { problem: `has ${type} twice` };
    attributes.set(type, value);
  }
  const missing = mandatory.filter((type) => !attributes.has(type));
  return missing.length > 0
    ? { problem: `must have C, ST and O: no ${missing.join(', ')}` }
    : attributes;
}

/** Whether every attribute of the one is in the other with the same value. */
export function isContainedIn(part: DistinguishedName, whole: DistinguishedName): boolean {
  return [...part].every(([type, value]) => whole.get(type) === value);
}

function parseAttribute(
  part: string,
): { readonly type: string; readonly value: string } | { readonly problem: string } {
  if (splitUnescaped(part, '+').length > 1)
    return { problem: 'has several attributes joined by `+`' };
  const at = part.indexOf('=');
  const type = part.slice(0, Math.max(at, 0)).trim();
  if (!attributeType.test(type)) return { problem: 'is not TYPE=VALUE, with commas between' };
  const value = unescape(trimUnescaped(part.slice(at + 1)));
  if (value === undefined)
    return { problem: `has a ${type} with a character or escape that RFC 4514 refuses` };
  if (value === '') return { problem: `has an empty ${type}` };
  return { type: type === 'S' ? 'ST' : type, value };
}

function splitUnescaped(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Only U+0020 is a space here; one at the end belongs to the value if it is escaped. */
function trimUnescaped(text: string): string {
  const start = text.replace(/^ +/, '');
  const trimmed = start.replace(/ +$/, '');
  const slashes = /\\*$/.exec(trimmed)?.[0].length ?? 0;
  return slashes % 2 === 1 && trimmed.length < start.length ? `${trimmed} ` : trimmed;
}

/** RFC 4514 section 3: `\` before a special character or two hex digits of a UTF-8 byte. */
function unescape(text: string): string | undefined {
  const bytes: Buffer[] = [];
  for (let index = 0; index < text.length;) {
    const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
    if (character !== '\\') {
      if ('";<>\0'.includes(character)) return undefined;
      bytes.push(Buffer.from(character));
      index += character.length;
      continue;
    }
    const next = text.slice(index + 1, index + 3);
    const hex = /^[0-9a-fA-F]{2}$/.test(next);
    if (!hex && (next === '' || !escapable.includes(next.charAt(0)))) return undefined;
    bytes.push(hex ? Buffer.from(next, 'hex') : Buffer.from(next.charAt(0)));
    index += hex ? 3 : 2;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    return undefined;
  }
}
