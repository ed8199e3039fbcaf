import { keyPath, type Position } from '../files/problem.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { YamlEntry, YamlNode } from '../files/yaml.ts';
import { type Environment, expandEnvironment } from './environment.ts';
import { leafReaders, type LeafSchema, type LeafText } from './leaf-reader.ts';
import { makeSecret, type Secret } from './redact.ts';

/** What the reader looks at in a schema; TypeBox's types say more, at compile time only. */
export interface ReadableSchema extends Partial<LeafSchema> {
  readonly properties?: Readonly<Record<string, ReadableSchema>>;
  readonly patternProperties?: Readonly<Record<string, ReadableSchema>>;
  readonly required?: readonly string[] | undefined;
  readonly items?: ReadableSchema;
  readonly anyOf?: readonly ReadableSchema[];
  readonly default?: unknown;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  /** Keys that mean something, but not to this version. */
  readonly later?: readonly string[];
}

/** One reading of one file. */
export interface Reading {
  readonly environment: Environment;
  /** Relative paths are relative to it. */
  readonly folder: string;
  /** Yields a secret's text by its file's absolute path; throws where that can't be read. */
  readonly readSecretFile: (file: string) => Promise<string>;
  /** Takes down a problem and goes on, so that all of them come out at once. */
  readonly report: (at: Position, path: string, message: string) => undefined;
  /** Where each key stands, by its path, for checks that come later. */
  readonly positions: Map<string, Position>;
}

type MapNode = Extract<YamlNode, { kind: 'map' }>;

/**
 * Reads a YAML tree by a schema: checks it, puts defaults in and resolves variables, paths, units
 * and secrets. Undefined, with a problem reported, where something is wrong.
 */
export async function readBySchema(
  node: YamlNode,
  schema: ReadableSchema,
  path: string,
  reading: Reading,
): Promise<unknown> {
  if (schema.leaf === 'secret') return readSecret(node, schema, path, reading);
  if (schema.leaf !== undefined) return readLeaf(node, schema, path, reading);
  if (schema.items !== undefined) return readList(node, schema, schema.items, path, reading);
  // Of several variants one may be a word.
  const word = schema.anyOf?.find((variant) => variant.leaf !== undefined);
  if (word !== undefined && node.kind === 'scalar') return readLeaf(node, word, path, reading);
  if (node.kind !== 'map') {
    return reading.report(node.at, path, `must be ${word?.expects ?? 'a mapping'}`);
  }
  if (schema.anyOf !== undefined) return readVariant(node, schema.anyOf, path, reading);
  return schema.patternProperties === undefined
    ? readObject(node, schema, path, reading)
    : readRecord(node, schema, path, reading);
}

function readLeaf(node: YamlNode, schema: ReadableSchema, path: string, reading: Reading): unknown {
  const { leaf, expects } = schema;
  if (leaf === undefined || leaf === 'secret' || expects === undefined) {
    throw new TypeError(`the schema of ${path} is no leaf`);
  }
  const given = expand(node, path, reading);
  if (given === undefined) return undefined;
  // What stands there is not repeated: a secret may have got into the wrong line.
  return (
    leafReaders[leaf](given, { ...schema, leaf, expects }, reading.folder) ??
    reading.report(node.at, path, `must be ${expects}`)
  );
}

/** A scalar with its variables; undefined, and reported, if one is not set. */
function expand(node: YamlNode, path: string, reading: Reading): LeafText | undefined {
  if (node.kind !== 'scalar') return { value: null, isExpanded: false };
  if (typeof node.value !== 'string') return { value: node.value, isExpanded: false };
  const expanded = expandEnvironment(node.value, reading.environment);
  if ('problem' in expanded) return reading.report(node.at, path, expanded.problem);
  return { value: expanded.text, isExpanded: expanded.isExpanded };
}

const secretFile: ReadableSchema = {
  properties: { file: { leaf: 'path', expects: 'a path' } },
  required: ['file'],
};

async function readSecret(
  node: YamlNode,
  { expects }: ReadableSchema,
  path: string,
  reading: Reading,
): Promise<Secret | undefined> {
  if (node.kind !== 'map') {
    const given = expand(node, path, reading);
    if (given === undefined) return undefined;
    if (typeof given.value === 'string' && given.value !== '') return makeSecret(given.value);
    return reading.report(node.at, path, `must be ${expects}`);
  }
  const { file } = await readObject(node, secretFile, path, reading);
  if (typeof file !== 'string') return undefined;
  try {
    const text = (await reading.readSecretFile(file)).replace(/\r?\n$/, '');
    return text === '' ? reading.report(node.at, path, 'the file is empty') : makeSecret(text);
  } catch (error) {
    return reading.report(node.at, path, `the file can not be read: ${messageOf(error)}`);
  }
}

/** Of several variants the one that has a required key in the file. */
async function readVariant(
  node: MapNode,
  variants: readonly ReadableSchema[],
  path: string,
  reading: Reading,
): Promise<unknown> {
  const given = new Set(node.entries.map((entry) => entry.key));
  const [variant, another] = variants.filter(({ required = [] }) =>
    required.some((key) => given.has(key)),
  );
  if (variant !== undefined && another === undefined) {
    return readBySchema(node, variant, path, reading);
  }
  const choices = variants.flatMap(({ required }) => required?.join(' and ') ?? []).join(', or ');
  return reading.report(node.at, path, `must have ${choices}, and only one of these`);
}

async function readList(
  node: YamlNode,
  { minItems = 0, maxItems = 1000 }: ReadableSchema,
  items: ReadableSchema,
  path: string,
  reading: Reading,
): Promise<unknown> {
  if (node.kind !== 'list') return reading.report(node.at, path, 'must be a list');
  const { length } = node.items;
  if (length < minItems || length > maxItems) {
    return reading.report(node.at, path, `must have ${minItems} to ${maxItems} items`);
  }
  return Promise.all(
    node.items.map((item, index) => readBySchema(item, items, `${path}[${index}]`, reading)),
  );
}

async function readRecord(
  node: MapNode,
  { patternProperties = {}, minProperties = 0 }: ReadableSchema,
  path: string,
  reading: Reading,
): Promise<unknown> {
  const [values = {}] = Object.values(patternProperties);
  const isWritten = node.entries !== noEntries;
  if (isWritten && node.entries.length < minProperties) {
    reading.report(node.at, path, 'must not be empty');
  }
  // Without a prototype, `__proto__` is a key like any other.
  const record = Object.create(null) as Record<string, unknown>;
  for (const { key, at, value } of node.entries) {
    const within = keyPath(path, key);
    reading.positions.set(within, at);
    record[key] = await readBySchema(value, values, within, reading);
  }
  return record;
}

async function readObject(
  node: MapNode,
  { properties = {}, required = [], later = [] }: ReadableSchema,
  path: string,
  reading: Reading,
): Promise<Record<string, unknown>> {
  const object: Record<string, unknown> = {};
  const given = new Map(node.entries.map((entry) => [entry.key, entry]));
  reportStrangers(node.entries, Object.keys(properties), later, path, reading);
  for (const [key, schema] of Object.entries(properties)) {
    const within = keyPath(path, key);
    const entry = given.get(key);
    reading.positions.set(within, entry?.at ?? node.at);
    const value = entry?.value ?? defaultNode(schema, node.at);
    if (value !== undefined) object[key] = await readBySchema(value, schema, within, reading);
    else if (required.includes(key)) reading.report(node.at, path, `${key} is missing`);
  }
  return object;
}

function reportStrangers(
  entries: readonly YamlEntry[],
  known: readonly string[],
  later: readonly string[],
  path: string,
  { report }: Reading,
): void {
  for (const { key, at } of entries) {
    if (known.includes(key)) continue;
    const message = later.includes(key)
      ? 'is not supported by this version of assay'
      : `is not a known key; known are ${known.join(', ')}`;
    report(at, keyPath(path, key), message);
  }
}

/** What a default has: nothing that a person wrote. */
const noEntries: readonly YamlEntry[] = [];

/** A default is read like what a person writes, so that paths and units resolve alike. */
function defaultNode({ default: value }: ReadableSchema, at: Position): YamlNode | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return { kind: 'list', at, items: [] };
  if (typeof value === 'object') return { kind: 'map', at, entries: noEntries };
  return { kind: 'scalar', at, value: value as string | number | boolean };
}
