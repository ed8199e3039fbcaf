import type { Json, JsonObject } from '../../kernel/json.ts';
import { objectsAt, textAt, valueAt } from '../statement.ts';
import type { Component, Components } from './component.ts';

/** CycloneDX 1.4 and later 1.x in JSON. */
export function readCycloneDx(predicate: Json): Components {
  const problem = problemOfCycloneDx(predicate);
  if (problem !== undefined) return { problem };
  const components = objectsAt(predicate, 'components');
  if (components === undefined) return { problem: 'the CycloneDX document has no components' };
  const whole = valueAt(predicate, 'metadata', 'component');
  const described = whole === undefined ? [] : (objectsAt({ whole: [whole] }, 'whole') ?? []);
  return [...components, ...described].flatMap(withNested);
}

export function problemOfCycloneDx(predicate: Json): string | undefined {
  const version = textAt(predicate, 'specVersion') ?? '';
  const isKnown = textAt(predicate, 'bomFormat') === 'CycloneDX' && /^1\.[4-9]$/.test(version);
  return isKnown ? undefined : 'the predicate is no CycloneDX document of version 1.4 or later';
}

function withNested(component: JsonObject): readonly Component[] {
  const nested = objectsAt(component, 'components') ?? [];
  const own = { name: textAt(component, 'name') ?? '', licenses: licensesOf(component) };
  return [own, ...nested.flatMap(withNested)];
}

/** A choice of an expression or a list of licences, by identifier or by name. */
function licensesOf(component: JsonObject): readonly string[] {
  return (objectsAt(component, 'licenses') ?? []).flatMap((choice) =>
    [
      textAt(choice, 'expression'),
      textAt(choice, 'license', 'id'),
      textAt(choice, 'license', 'name'),
    ].filter((text) => text !== undefined && text !== ''),
  ) as readonly string[];
}
