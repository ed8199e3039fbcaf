import { quoted } from './quoted.ts';
import { TaggedError } from './tagged-error.ts';

/** Plain data out of JSON. Objects have no prototype, so `__proto__` is a key like any other. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export class JsonError extends TaggedError<'JSON_MALFORMED'> {}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON (RFC 8259) as strictly as the strictest consumer: UTF-8 without a byte order mark,
 * no duplicate names (two parsers may take different ones), at most `maxDepth` levels (32).
 * JSON.parse knows the grammar, and takes the last of two names: so names are looked at first.
 * What costs time is how many values there are, more than bytes: `maxValues` bounds them, each
 * list, object and member counted as one, before any is made.
 */
export function readJson(
  untrusted: Uint8Array | string,
  maxDepth = 32,
  maxValues = Infinity,
): Json {
  const text = typeof untrusted === 'string' ? untrusted : decode(untrusted);
  checkNames(text, maxDepth, maxValues);
  return withoutPrototypes(parse(text));
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Looks at brackets, commas and strings alone: all that says which string is whose name. */
function checkNames(text: string, maxDepth: number, maxValues: number): void {
  /** The names so far of each object that is open; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at + 1);
      if (isName) noteName(open.at(-1), text.slice(at + 1, end));
      isName = false;
      at = end;
    } else if (character === '{' || character === '[') {
      values += 1;
      isName = character === '{';
      open.push(isName ? new Set() : undefined);
      if (open.length > maxDepth) throw fail(`deeper than ${maxDepth} levels`);
    } else if (character === '}' || character === ']') {
      isName = false;
      open.pop();
    } else if (character === ',') {
      values += 1;
      isName = open.at(-1) !== undefined;
    }
    if (values > maxValues) throw fail(`it has more than ${maxValues} values`);
  }
}

/** Where the quotation mark is that no backslash escapes; the text's end if there is none. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function noteName(names: Set<string> | undefined, written: string): void {
  const name = written.includes('\\') ? (parse(`"${written}"`) as string) : written;
  if (names?.has(name)) throw fail(`the name ${quoted(name)} stands twice`);
  names?.add(name);
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    // Not the whole message, which repeats the text.
    const [position] = / at position \d+/.exec(String(cause)) ?? [''];
    throw new JsonError('JSON_MALFORMED', `it is no JSON${position}`, { cause });
  }
}

function withoutPrototypes(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) Object.setPrototypeOf(value, null);
  for (const member of Object.values(value)) withoutPrototypes(member);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new JsonError('JSON_MALFORMED', 'the text is not UTF-8', { cause });
  }
}

function fail(why: string): JsonError {
  return new JsonError('JSON_MALFORMED', why);
}
