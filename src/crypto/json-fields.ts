import { isObject, type Json, JsonError, type JsonObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { parseBase64 } from './base64.ts';

/** An object out of JSON, with the way to it for errors. A null field is none (proto3's JSON). */
export interface JsonFields {
  readonly path: string;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws where the object has a field that is not in the list. */
  expectOnly(...names: readonly string[]): void;
  /** Text that is there and not empty. */
  text(name: string): string;
  /** Bytes in canonical base64 with padding; there and not empty. */
  bytes(name: string): Uint8Array;
  /** A count below 2^53 as proto3 writes an int64, in decimal text, or as a number. */
  count(name: string): number;
  object(name: string): JsonFields;
  /** The objects of a list; none where there is no field. At most `maxItems`. */
  objects(name: string, maxItems: number): readonly JsonFields[];
  /** The texts of a list, in the same way. */
  texts(name: string, maxItems: number): readonly string[];
  /** The field as it stands. */
  raw(name: string): Json | undefined;
}

/** Makes the error for a sentence such as `spec.data is missing`. */
export type Malformed = (why: string, cause?: unknown) => Error;

/**
 * Reads the bytes as one JSON object (kernel/json.ts) of at most `maxValues`; whatever is wrong is
 * thrown as `malformed`.
 */
export function readJsonFields(
  untrusted: Uint8Array | string,
  malformed: Malformed,
  maxValues = Infinity,
): JsonFields {
  try {
    return fieldsOf(readJson(untrusted, undefined, maxValues), '', malformed);
  } catch (cause) {
    if (cause instanceof JsonError) throw malformed(cause.message, cause);
    throw cause;
  }
}

/** The same for what was read already; `path` is where it stands. */
export function fieldsOf(value: Json | undefined, path: string, malformed: Malformed): JsonFields {
  const here = path === '' ? 'it' : path;
  if (value === undefined || value === null) throw malformed(`${here} is missing`);
  if (!isObject(value)) throw malformed(`${here} is no object`);
  return makeFields(value, path, malformed);
}

const decimal = /^(?:0|[1-9]\d{0,15})$/;

function makeFields(object: JsonObject, path: string, malformed: Malformed): JsonFields {
  const within = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const raw = (name: string): Json | undefined => object[name] ?? undefined;
  const text = (name: string): string => {
    const value = raw(name);
    if (value === undefined) throw malformed(`${within(name)} is missing`);
    if (typeof value !== 'string') throw malformed(`${within(name)} is no text`);
    if (value === '') throw malformed(`${within(name)} is empty`);
    return value;
  };
  const list = (name: string, maxItems: number): readonly Json[] => {
    const value = raw(name) ?? [];
    if (!Array.isArray(value)) throw malformed(`${within(name)} is no list`);
    if (value.length > maxItems) throw malformed(`${within(name)} has more than ${maxItems} items`);
    return value as readonly Json[];
  };
  return {
    path,
    names: Object.keys(object),
    has: (name) => raw(name) !== undefined,
    expectOnly: (...names) => {
      const stranger = Object.keys(object).find((name) => !names.includes(name));
      if (stranger !== undefined) throw malformed(`${within(quoted(stranger))} is not known`);
    },
    text,
    bytes: (name) => {
      const bytes = parseBase64(text(name), 'base64');
      if (bytes === undefined) throw malformed(`${within(name)} is no base64`);
      return bytes;
    },
    count: (name) => {
      const value = raw(name);
      const count = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
      if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
        throw malformed(`${within(name)} is no count below 2^53`);
      }
      return count;
    },
    object: (name) => fieldsOf(raw(name), within(name), malformed),
    objects: (name, maxItems) =>
      list(name, maxItems).map((item, index) =>
        fieldsOf(item, `${within(name)}[${index}]`, malformed),
      ),
    texts: (name, maxItems) =>
      list(name, maxItems).map((item, index) => {
        if (typeof item === 'string') return item;
        throw malformed(`${within(name)}[${index}] is no text`);
      }),
    raw,
  };
}
