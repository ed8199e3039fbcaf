import { celMap, type CelInput, type CelMap } from '@bufbuild/cel';
import { isObject, type Json } from '../kernel/json.ts';

/**
 * JSON as CEL takes it, with numbers as doubles. Objects become maps of ours: of plain ones the
 * library looks at `constructor` and `$typeName`, which a predicate may have as names of its own.
 */
export function toCel(json: Json): CelInput {
  if (typeof json !== 'object' || json === null) return json;
  if (!isObject(json)) return json.map(toCel);
  return toMap(new Map(Object.entries(json).map(([name, value]) => [name, toCel(value)])));
}

/** The library's own `has` denies names whose value is null, so that `!has(…)` would hold. */
function toMap(members: ReadonlyMap<string, CelInput>): CelMap {
  const map = celMap(members);
  return Object.assign(map, { has: (name: unknown) => members.has(name as string) });
}
