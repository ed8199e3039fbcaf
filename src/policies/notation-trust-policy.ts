import { type Json, isObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import type { Position } from '../files/problem.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { YamlNode } from '../files/yaml.ts';
import { parseRepositoryPath } from '../oci/repository.ts';
import type { NotationRequirement } from '../verdict/identity-requirement.ts';
import {
  type Fields,
  type Place,
  readFields,
  readItems,
  readOneOf,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import { readLevel, readStatement } from './notation-statement.ts';

/** Notation's own `trustpolicy.json`. */
export interface NotationTrustPolicy {
  readonly statements: readonly NotationStatement[];
  /** An exact scope beats `*`; undefined where no statement speaks of the scope. */
  statementFor(scope: string): NotationStatement | undefined;
}

export interface NotationStatement {
  readonly name: string;
  readonly registryScopes: readonly string[];
  readonly requirement: NotationRequirement;
}

const maxStatements = 1000;
const maxScopes = 1000;
const host = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;

/**
 * Reads a trust policy by the rules of Notation's Trust Store and Trust Policy specification
 * (version 1.0), and more strictly than its tool where a reader might take it otherwise: unknown
 * and doubled keys are refused, and so is level skip for every repository. `place` is where the
 * file is referred to; problems go there, with the key in the file.
 */
export function readNotationTrustPolicy(
  text: string,
  place: Place,
  report: ReportProblem,
): NotationTrustPolicy | undefined {
  let json: Json;
  try {
    json = readJson(text);
  } catch (error) {
    return report(place, `the file is no JSON: ${messageOf(error)}`);
  }
  const { at } = place.node;
  const top = { node: toNode(json, at), path: `${place.path} $` };
  const fields = readFields(top, { required: ['version', 'trustPolicies'] }, report);
  const version = fields?.get('version');
  if (version !== undefined) readOneOf(version, ['1.0'], report);
  const list = fields?.get('trustPolicies');
  const items = list && readItems(list, maxStatements, report);
  if (items === undefined) return undefined;
  const statements = items.map((item) => readNamedStatement(item, report));
  const known = statements.filter((statement) => statement !== undefined);
  if (known.length < statements.length) return undefined;
  reportDoubles(known, items, report);
  return { statements: known, statementFor: makeLookup(known) };
}

function readNamedStatement(place: Place, report: ReportProblem): NotationStatement | undefined {
  const required = ['name', 'registryScopes', 'signatureVerification'];
  const optional = ['trustStores', 'trustedIdentities'];
  const trust = readFields(place, { required, optional }, report);
  const namePlace = trust?.get('name');
  const scopesPlace = trust?.get('registryScopes');
  const name = namePlace && readText(namePlace, report);
  const registryScopes = scopesPlace && readScopes(scopesPlace, report);
  const requirement = trust && readVerification(trust, place, report);
  if (scopesPlace === undefined || registryScopes === undefined) return undefined;
  if (name === undefined || requirement === undefined) return undefined;
  if (requirement.level === 'skip' && registryScopes.includes('*')) {
    return report(scopesPlace, 'level skip must not be for every repository ("*")');
  }
  return { name, registryScopes, requirement };
}

function readVerification(
  trust: Fields,
  place: Place,
  report: ReportProblem,
): NotationRequirement | undefined {
  const verificationPlace = trust.get('signatureVerification');
  if (verificationPlace === undefined) return undefined;
  const keys = { required: ['level'], optional: ['override', 'verifyTimestamp'] };
  const verification = readFields(verificationPlace, keys, report);
  const levelPlace = verification?.get('level');
  if (verification === undefined || levelPlace === undefined) return undefined;
  const level = readLevel(levelPlace, report);
  return readStatement({ level, verification, trust }, place, report);
}

function readScopes(place: Place, report: ReportProblem): readonly string[] | undefined {
  const items = readItems(place, maxScopes, report);
  const scopes = items?.map((item) => readScope(item, report));
  const known = scopes?.filter((scope) => scope !== undefined);
  if (known === undefined || known.length !== scopes?.length) return undefined;
  if (known.includes('*') && known.length > 1) return report(place, '"*" must stand alone');
  return known;
}

function readScope(place: Place, report: ReportProblem): string | undefined {
  const text = readText(place, report);
  if (text === undefined || text === '*') return text;
  const slash = text.indexOf('/');
  const isScope = host.test(text.slice(0, slash)) && parseRepositoryPath(text.slice(slash + 1));
  return isScope !== undefined && isScope !== false
    ? text
    : report(place, `${quoted(text)} is no repository: write REGISTRY/REPOSITORY or "*" alone`);
}

function reportDoubles(
  statements: readonly NotationStatement[],
  places: readonly Place[],
  report: ReportProblem,
): void {
  const names = new Set<string>();
  const scopes = new Set<string>();
  for (const [index, { name, registryScopes }] of statements.entries()) {
    const place = places[index];
    if (place === undefined) continue;
    if (names.has(name)) report(place, `the name ${quoted(name)} stands twice`);
    names.add(name);
    for (const scope of registryScopes) {
      if (scopes.has(scope)) report(place, `the scope ${quoted(scope)} stands twice`);
      scopes.add(scope);
    }
  }
}

function makeLookup(
  statements: readonly NotationStatement[],
): (scope: string) => NotationStatement | undefined {
  const byScope = new Map(
    statements.flatMap((statement) =>
      statement.registryScopes.map((scope) => [scope, statement] as const),
    ),
  );
  return (scope) => byScope.get(scope) ?? byScope.get('*');
}

/** JSON in the shape that the readers take; everything stands where the file is referred to. */
function toNode(json: Json, at: Position): YamlNode {
  if (isObject(json)) {
    const entries = Object.entries(json).map(([key, value]) => ({
      key,
      at,
      value: toNode(value, at),
    }));
    return { kind: 'map', at, entries };
  }
  if (typeof json === 'object' && json !== null) {
    return { kind: 'list', at, items: json.map((item) => toNode(item, at)) };
  }
  return { kind: 'scalar', at, value: json };
}
