import { isObject, type Json, type JsonObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';

/** The in-toto document in an attestation: subjects plus one predicate. */
export interface Statement {
  readonly predicateType: string;
  /** Null where there is none. */
  readonly predicate: Json;
  readonly subject: readonly Json[];
}

// in-toto Attestation Framework, Statement v1 and v0.1.
const statementTypes = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];
/** SBOMs nest components. */
const maxDepth = 64;

/**
 * Reads a statement that was verified to be of that type; returns what is wrong in place of it. Its
 * format has compared its subjects already.
 */
export function readStatement(
  payload: Uint8Array,
  predicateType: string,
): Statement | { readonly problem: string } {
  let statement: Json;
  try {
    statement = readJson(payload, maxDepth);
  } catch (error) {
    return { problem: `the statement can not be read: ${messageOf(error)}` };
  }
  if (!isObject(statement)) return { problem: 'the statement is no object' };
  const { _type: type, subject, predicate = null } = statement;
  if (typeof type !== 'string' || !statementTypes.includes(type)) {
    return { problem: 'it is no in-toto statement: its _type is another' };
  }
  if (statement['predicateType'] !== predicateType) {
    return { problem: `its predicateType is not ${quoted(predicateType)}` };
  }
  if (!Array.isArray(subject)) return { problem: 'the statement has no list of subjects' };
  return { predicateType, predicate, subject };
}

/** The value at a path of names; undefined where something on the way is no object. */
export function valueAt(json: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (value, name) => (isObject(value) ? value[name] : undefined),
    json,
  );
}

export function textAt(json: Json | undefined, ...path: readonly string[]): string | undefined {
  const value = valueAt(json, ...path);
  return typeof value === 'string' ? value : undefined;
}

export function listAt(
  json: Json | undefined,
  ...path: readonly string[]
): readonly Json[] | undefined {
  const value = valueAt(json, ...path);
  return Array.isArray(value) ? value : undefined;
}

/** The objects of a list; undefined where it is no list, or has something else in it. */
export function objectsAt(
  json: Json | undefined,
  ...path: readonly string[]
): readonly JsonObject[] | undefined {
  const list = listAt(json, ...path);
  const objects = list?.filter((item) => isObject(item));
  return objects?.length === list?.length ? objects : undefined;
}
