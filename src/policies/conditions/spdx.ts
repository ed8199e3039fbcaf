import type { Json, JsonObject } from '../../kernel/json.ts';
import { objectsAt, textAt } from '../statement.ts';
import type { Component, Components } from './component.ts';

/** SPDX 2.2 and 2.3 in JSON (SPDX Specification 2.3, clause 7). */
export function readSpdx(predicate: Json): Components {
  if (typeof predicate === 'string') {
    return { problem: 'the SPDX document is text: only its JSON can be looked into' };
  }
  const version = textAt(predicate, 'spdxVersion');
  if (version !== 'SPDX-2.3' && version !== 'SPDX-2.2') {
    return { problem: 'the predicate is no SPDX document of version 2.2 or 2.3' };
  }
  const packages = objectsAt(predicate, 'packages');
  if (packages === undefined) return { problem: 'the SPDX document has no list of packages' };
  return packages.map(readPackage);
}

function readPackage(found: JsonObject): Component {
  const said = ['licenseConcluded', 'licenseDeclared']
    .map((name) => textAt(found, name))
    .filter((text) => text !== undefined && text !== 'NOASSERTION' && text !== '');
  return { name: textAt(found, 'name') ?? '', licenses: said.filter((text) => text !== undefined) };
}
