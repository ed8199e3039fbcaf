import { quoted } from './quoted.ts';
import { TaggedError } from './tagged-error.ts';

/** Plain data out of JSON. Objects have no prototype, so `__proto__` is a key like any other. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export class JsonError extends TaggedError<'JSON_MALFORMED'> {}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const space = /[ \t\n\r]*/;
const punctuation = /([[\]{}:,])/;
// Unrolled, so that a string of megabytes needs no backtracking stack.
const string = /("[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*")/;
const scalar = /(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/;
const patterns = [punctuation, string, scalar, /$/].map((pattern) => pattern.source);
const token = new RegExp(`${space.source}(?:${patterns.join('|')})`, 'y');

/**
 * Reads JSON (RFC 8259) as strictly as the strictest consumer: UTF-8 without a byte order mark,
 * no duplicate names (two parsers may take different ones), at most `maxDepth` levels (32).
 */
export function readJson(untrusted: Uint8Array | string, maxDepth = 32): Json {
  const text = typeof untrusted === 'string' ? untrusted : decode(untrusted);
  token.lastIndex = 0;
  const next = (): string => {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw fail(`unexpected character at offset ${at}`);
    return match[1] ?? match[2] ?? match[3] ?? '';
  };
  const value = (first: string, depth: number): Json => {
    if (depth > maxDepth) throw fail(`deeper than ${maxDepth} levels`);
    if (first === '[') return list(depth);
    if (first === '{') return object(depth);
    if (first === '' || ']}:,'.includes(first)) throw fail('a value is missing');
    return JSON.parse(first) as Json;
  };
  const list = (depth: number): Json => {
    const items: Json[] = [];
    for (let word = next(); word !== ']' || items.length > 0; word = next()) {
      items.push(value(word, depth + 1));
      const end = next();
      if (end === ']') break;
      if (end !== ',') throw fail('a comma is missing in an array');
    }
    return items;
  };
  const object = (depth: number): Json => {
    const members = Object.create(null) as Record<string, Json>;
    for (let word = next(), any = false; word !== '}' || any; word = next(), any = true) {
      if (!word.startsWith('"') || next() !== ':') throw fail('a member name is missing');
      const name = JSON.parse(word) as string;
      if (name in members) throw fail(`the name ${quoted(name)} stands twice`);
      members[name] = value(next(), depth + 1);
      const end = next();
      if (end === '}') break;
      if (end !== ',') throw fail('a comma is missing in an object');
    }
    return members;
  };
  const result = value(next(), 1);
  if (next() !== '') throw fail('there is text after the value');
  return result;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
