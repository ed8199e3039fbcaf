import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { keyPath, type Position, type Problem } from './problem.ts';

/** YAML as plain data that knows where it stands. */
export type YamlNode =
  | { readonly kind: 'scalar'; readonly at: Position; readonly value: YamlScalar }
  | { readonly kind: 'list'; readonly at: Position; readonly items: readonly YamlNode[] }
  | { readonly kind: 'map'; readonly at: Position; readonly entries: readonly YamlEntry[] };
export type YamlScalar = string | number | boolean | null;

export interface YamlEntry {
  readonly key: string;
  readonly at: Position;
  readonly value: YamlNode;
}

export interface YamlReading {
  /** Undefined where the text is no YAML at all; other problems leave the rest readable. */
  readonly root: YamlNode | undefined;
  readonly problems: readonly Problem[];
}

const maxDepth = 32;
const maxSyntaxProblems = 20;

/**
 * Reads one YAML 1.2 document (core schema) with every problem at once: syntax, keys that stand
 * twice or are no text, tags. An alias counts as all that it stands for, against `maxNodes`.
 */
export function readYaml(text: string, maxNodes = 100_000): YamlReading {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const broken = (offset: number, why: string): YamlReading => ({
    root: undefined,
    problems: [{ at: at(offset), path: '', message: why }],
  });
  try {
    const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false } as const;
    const document = parseDocument(text, { ...options, schema: 'core', version: '1.2' });
    const syntax = tellable([...document.errors, ...document.warnings]).map(({ pos, message }) => ({
      at: at(pos[0]),
      path: '',
      message: `the YAML does not parse: ${withoutSource(message)}`,
    }));
    if (syntax.length > 0) return { root: undefined, problems: syntax };
    if (document.directives?.yaml.version !== '1.2') {
      return broken(0, 'only YAML 1.2 is read: remove the %YAML line');
    }
    return new Conversion(at, maxNodes).run(document.contents);
  } catch (thrown) {
    if (thrown instanceof TooMuch) return broken(thrown.offset, thrown.message);
    if (thrown instanceof RangeError) return broken(0, `deeper than ${maxDepth} levels`);
    throw thrown;
  }
}

/** One slip may bring a thousand tokens in places where they are not expected: the first tells. */
function tellable(errors: readonly YAMLError[]): readonly YAMLError[] {
  const first = errors.findIndex(({ code }) => code === 'UNEXPECTED_TOKEN');
  return errors
    .filter(({ code }, index) => code !== 'UNEXPECTED_TOKEN' || index === first)
    .slice(0, maxSyntaxProblems);
}

/** Some messages end with the text that stands there, which may be a secret. */
function withoutSource(message: string): string {
  if (message.includes('call stack')) return `it is deeper than ${maxDepth} levels`;
  return message.replace(/: ".*$/s, '');
}

/** Ends a conversion that would grow without bound. */
class TooMuch extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

type SourceNode = Alias | Scalar | YAMLMap | YAMLSeq;

/** One walk over a parsed document. */
class Conversion {
  readonly #at: (offset: number) => Position;
  readonly #maxNodes: number;
  readonly #anchors = new Map<string, SourceNode>();
  readonly #problems: Problem[] = [];
  #nodes = 0;

  constructor(at: (offset: number) => Position, maxNodes: number) {
    this.#at = at;
    this.#maxNodes = maxNodes;
  }

  run(contents: unknown): YamlReading {
    return { root: this.#node(contents, '', 1, 0), problems: this.#problems };
  }

  #node(node: unknown, path: string, depth: number, fallback: number): YamlNode {
    if (!isAlias(node) && !isMap(node) && !isSeq(node) && !isScalar(node)) {
      return { kind: 'scalar', at: this.#at(fallback), value: null }; // `{a}`: nothing is there.
    }
    const offset = node.range?.[0] ?? fallback;
    this.#count(depth, offset);
    if (isAlias(node)) return this.#aliased(node.source, path, depth, offset);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const at = this.#at(offset);
    if (isScalar(node)) return { kind: 'scalar', at, value: this.#scalar(node.value, path, at) };
    if (isMap(node)) return { kind: 'map', at, entries: this.#entries(node, path, depth, offset) };
    const items = node.items.map((item, index) =>
      this.#node(item, `${path}[${index}]`, depth + 1, offset),
    );
    return { kind: 'list', at, items };
  }

  #count(depth: number, offset: number): void {
    this.#nodes += 1;
    if (this.#nodes > this.#maxNodes) {
      throw new TooMuch(offset, `more than ${this.#maxNodes} values, with aliases in full`);
    }
    if (depth > maxDepth) throw new TooMuch(offset, `deeper than ${maxDepth} levels`);
  }

  #aliased(name: string, path: string, depth: number, offset: number): YamlNode {
    const node = this.#anchors.get(name);
    if (node !== undefined) return this.#node(node, path, depth + 1, offset);
    const at = this.#at(offset);
    this.#problems.push({ at, path, message: 'the alias has no anchor before it' });
    return { kind: 'scalar', at, value: null };
  }

  #scalar(value: unknown, path: string, at: Position): YamlScalar {
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) {
      return value as YamlScalar;
    }
    this.#problems.push({ at, path, message: 'this kind of value is not supported' });
    return null;
  }

  #entries(map: YAMLMap, path: string, depth: number, fallback: number): YamlEntry[] {
    const entries = new Map<string, YamlEntry>();
    for (const pair of map.items) {
      const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? fallback) : fallback;
      const at = this.#at(offset);
      if (!isScalar(pair.key) || typeof pair.key.value !== 'string') {
        this.#problems.push({ at, path, message: 'a key must be text: put it in quotes' });
        continue;
      }
      const key = pair.key.value;
      const within = keyPath(path, key);
      const value = this.#node(pair.value, within, depth + 1, offset);
      const first = entries.get(key);
      if (first === undefined) entries.set(key, { key, at, value });
      else {
        const message = `stands twice: it is on line ${first.at.line} already`;
        this.#problems.push({ at, path: within, message });
      }
    }
    return [...entries.values()];
  }
}
