import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import { asSet, meaningOfRequirement } from './canonical.ts';
import {
  type Place,
  readFields,
  readInteger,
  readItems,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import type { Requirement } from './policy.ts';

const maxDepth = 6;
const maxMembers = 64;
const kinds = ['signedBy', 'allOf', 'anyOf', 'atLeast'] as const;
const laterKinds = ['attestation', 'noneOf', 'not'] as const;

/** Reads what follows `require:` and all that is nested in it. */
export function readRequirement(
  place: Place,
  declared: ReadonlySet<string>,
  report: ReportProblem,
  depth = 1,
): Requirement | undefined {
  if (depth > maxDepth) return report(place, `is nested deeper than ${maxDepth} levels`);
  const fields = readFields(place, { optional: kinds, later: laterKinds }, report);
  if (fields === undefined) return undefined;
  const [field, another] = fields;
  if (field === undefined || another !== undefined) {
    // A key of a later version has been reported already.
    return place.node.kind === 'map' && place.node.entries.length === 1
      ? undefined
      : report(place, `must have exactly one of ${kinds.join(', ')}`);
  }
  const [kind, within] = field;
  if (kind === 'signedBy') return readSignedBy(within, declared, report);
  if (kind === 'atLeast') return readAtLeast(within, declared, report, depth);
  const members = readMembers(within, declared, report, depth);
  if (members === undefined) return undefined;
  return kind === 'allOf' ? { allOf: members } : { anyOf: members };
}

/** Every identity that a requirement names, each once, in order of mention. */
export function identitiesOf(requirement: Requirement): NonEmpty<string> {
  if ('signedBy' in requirement) return [requirement.signedBy];
  const [first, ...rest] = membersOf(requirement);
  const names = new Set([...identitiesOf(first), ...rest.flatMap(identitiesOf)]);
  const [name = '', ...others] = names;
  return [name, ...others];
}

export function membersOf(
  requirement: Exclude<Requirement, { readonly signedBy: string }>,
): NonEmpty<Requirement> {
  if ('allOf' in requirement) return requirement.allOf;
  return 'anyOf' in requirement ? requirement.anyOf : requirement.atLeast.of;
}

function readSignedBy(
  place: Place,
  declared: ReadonlySet<string>,
  report: ReportProblem,
): Requirement | undefined {
  const name = readText(place, report);
  if (name === undefined) return undefined;
  if (declared.has(name)) return { signedBy: name };
  const known = [...declared].slice(0, 10).map((other) => quoted(other));
  const what = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
  return report(place, `no identity has the name ${quoted(name)}; ${what}`);
}

function readMembers(
  place: Place,
  declared: ReadonlySet<string>,
  report: ReportProblem,
  depth: number,
): NonEmpty<Requirement> | undefined {
  const items = readItems(place, maxMembers, report);
  const members = items?.map((item) => readRequirement(item, declared, report, depth + 1));
  const known = members?.filter((member) => member !== undefined) ?? [];
  return known.length === members?.length && isNonEmpty(known) ? known : undefined;
}

function readAtLeast(
  place: Place,
  declared: ReadonlySet<string>,
  report: ReportProblem,
  depth: number,
): Requirement | undefined {
  const fields = readFields(place, { required: ['count', 'of'] }, report);
  const countPlace = fields?.get('count');
  const ofPlace = fields?.get('of');
  const count = countPlace && readInteger(countPlace, 1, report);
  const of = ofPlace && readMembers(ofPlace, declared, report, depth);
  if (countPlace === undefined || count === undefined || of === undefined) return undefined;
  const distinct = asSet(of.map(meaningOfRequirement)).length;
  if (count <= distinct) return { atLeast: { count, of } };
  return report(countPlace, `can never be met: \`of\` has ${distinct} different members`);
}
