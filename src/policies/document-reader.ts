import { quoted } from '../kernel/quoted.ts';
import { keyPath, type Problem } from '../files/problem.ts';
import type { YamlNode } from '../files/yaml.ts';

/** A place in a policy file. Every reader reports what is wrong there and returns undefined. */
export interface Place {
  readonly node: YamlNode;
  readonly path: string;
}

export type Fields = ReadonlyMap<string, Place>;

/** Takes down a problem and goes on, so that all of them come out at once. */
export type ReportProblem = (place: Place, message: string) => undefined;

export function makeReport(problems: Problem[]): ReportProblem {
  return ({ node, path }, message) => {
    problems.push({ at: node.at, path, message });
    return undefined;
  };
}

export interface KnownKeys {
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
  /** Keys that mean something, but not to this version. */
  readonly later?: readonly string[];
}

/** A mapping's values by key; unknown keys are reported and left out. */
export function readFields(
  place: Place,
  keys: KnownKeys,
  report: ReportProblem,
): Fields | undefined {
  const { node, path } = place;
  if (node.kind !== 'map') return report(place, 'must be a mapping');
  const { required = [], optional = [], later = [] } = keys;
  const fields = new Map<string, Place>();
  for (const { key, at, value } of node.entries) {
    const within = { node: value, path: keyPath(path, key) };
    const keyPlace = { node: { ...value, at }, path: within.path };
    if (required.includes(key) || optional.includes(key)) fields.set(key, within);
    else if (later.includes(key)) report(keyPlace, 'is not supported by this version of assay');
    else {
      const known = [...required, ...optional].join(', ');
      report(keyPlace, `is not a known key; known are ${known}`);
    }
  }
  for (const key of required) if (!fields.has(key)) report(place, `${key} is missing`);
  return fields;
}

/** A list with at least one item and at most `maxItems`. */
export function readItems(
  place: Place,
  maxItems: number,
  report: ReportProblem,
): readonly Place[] | undefined {
  const { node, path } = place;
  if (node.kind !== 'list') return report(place, 'must be a list');
  if (node.items.length === 0) return report(place, 'must not be empty');
  if (node.items.length > maxItems) return report(place, `has more than ${maxItems} items`);
  return node.items.map((item, index) => ({ node: item, path: `${path}[${index}]` }));
}

/** Text that is not blank, at most `maxLength` characters. */
export function readText(
  place: Place,
  report: ReportProblem,
  maxLength = 1024,
): string | undefined {
  const { node } = place;
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    return report(place, 'must be text');
  }
  if (node.value.trim() === '') return report(place, 'must not be empty');
  return node.value.length <= maxLength
    ? node.value
    : report(place, `is longer than ${maxLength} characters`);
}

export function readInteger(
  place: Place,
  minimum: number,
  report: ReportProblem,
): number | undefined {
  const { node } = place;
  const value = node.kind === 'scalar' ? node.value : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum
    ? value
    : report(place, `must be a whole number of at least ${minimum}`);
}

export function readOneOf<const T extends string>(
  place: Place,
  values: readonly T[],
  report: ReportProblem,
): T | undefined {
  const { node } = place;
  const value = node.kind === 'scalar' ? node.value : undefined;
  const found = values.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const given = typeof value === 'string' ? `, not ${quoted(value)}` : '';
  return report(place, `must be ${values.join(' or ')}${given}`);
}

const millisecondsOf: ReadonlyMap<string, number> = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A time span such as `90d`, in milliseconds. */
export function readSpan(place: Place, report: ReportProblem): number | undefined {
  const { node } = place;
  const value = node.kind === 'scalar' && typeof node.value === 'string' ? node.value : '';
  const [, count, unit = ''] = /^([1-9]\d{0,6})([smhd])$/.exec(value) ?? [];
  const unitMs = millisecondsOf.get(unit);
  return unitMs === undefined
    ? report(place, 'must be a time span, such as 90d (units s, m, h, d)')
    : Number(count) * unitMs;
}

// RFC 3339 section 5.6, with the zone that makes it one instant.
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2})$/;

/** An instant such as `2026-12-31T00:00:00Z`. */
export function readInstant(place: Place, report: ReportProblem): Date | undefined {
  const { node } = place;
  const value = node.kind === 'scalar' ? node.value : undefined;
  const date = typeof value === 'string' && instant.test(value) ? new Date(value) : undefined;
  const isReal =
    date !== undefined &&
    typeof value === 'string' &&
    !Number.isNaN(date.getTime()) &&
    isDay(value);
  return isReal ? date : report(place, 'must be a time with zone, such as 2026-12-31T00:00:00Z');
}

/** JavaScript reads 30 February as 2 March. */
function isDay(value: string): boolean {
  const day = new Date(`${value.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value.slice(0, 10));
}
