import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { asSet, meaningOfRequirement } from './canonical.ts';
import {
  type Place,
  readFields,
  readInteger,
  readItems,
  type ReportProblem,
} from './document-reader.ts';
import type { AttestationRequirement } from './attestation.ts';
import { readAttestation } from './attestation-requirement.ts';
import { type Known, readIdentityName } from './known.ts';
import { isLeaf, signerOf } from './leaf.ts';
import type { Leaf, Requirement } from './policy.ts';

const maxDepth = 6;
const maxMembers = 64;
const kinds = ['signedBy', 'attestation', 'allOf', 'anyOf', 'atLeast'] as const;
const laterKinds = ['noneOf', 'not'] as const;

/** Reads what follows `require:` and all that is nested in it. */
export function readRequirement(
  place: Place,
  known: Known,
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
  return readKind(kind, within, known, report, depth);
}

function readKind(
  kind: string,
  place: Place,
  known: Known,
  report: ReportProblem,
  depth: number,
): Requirement | undefined {
  if (kind === 'atLeast') return readAtLeast(place, known, report, depth);
  if (kind === 'signedBy') {
    const signedBy = readIdentityName(place, known, report);
    return signedBy === undefined ? undefined : { signedBy };
  }
  if (kind === 'attestation') {
    const attestation = readAttestation(place, known, report);
    return attestation && { attestation };
  }
  const members = readMembers(place, known, report, depth);
  if (members === undefined) return undefined;
  return kind === 'allOf' ? { allOf: members } : { anyOf: members };
}

/** Every leaf of a requirement, in order of mention. */
export function leavesOf(requirement: Requirement): readonly Leaf[] {
  return isLeaf(requirement) ? [requirement] : membersOf(requirement).flatMap(leavesOf);
}

/** Every identity that a requirement names, each once, in order of mention. */
export function identitiesOf(requirement: Requirement): NonEmpty<string> {
  if (isLeaf(requirement)) return [signerOf(requirement)];
  const [first, ...rest] = membersOf(requirement);
  const names = new Set([...identitiesOf(first), ...rest.flatMap(identitiesOf)]);
  const [name = '', ...others] = names;
  return [name, ...others];
}

/** Every attestation that a requirement names, each once, in order of mention. */
export function attestationsOf(requirement: Requirement): readonly AttestationRequirement[] {
  const found = leavesOf(requirement).flatMap((leaf) =>
    'attestation' in leaf ? [leaf.attestation] : [],
  );
  return [...new Map(found.map((attestation) => [attestation.digest, attestation])).values()];
}

export function membersOf(requirement: Exclude<Requirement, Leaf>): NonEmpty<Requirement> {
  if ('allOf' in requirement) return requirement.allOf;
  return 'anyOf' in requirement ? requirement.anyOf : requirement.atLeast.of;
}

function readMembers(
  place: Place,
  known: Known,
  report: ReportProblem,
  depth: number,
): NonEmpty<Requirement> | undefined {
  const items = readItems(place, maxMembers, report);
  const members = items?.map((item) => readRequirement(item, known, report, depth + 1));
  const read = members?.filter((member) => member !== undefined) ?? [];
  return read.length === members?.length && isNonEmpty(read) ? read : undefined;
}

function readAtLeast(
  place: Place,
  known: Known,
  report: ReportProblem,
  depth: number,
): Requirement | undefined {
  const fields = readFields(place, { required: ['count', 'of'] }, report);
  const countPlace = fields?.get('count');
  const ofPlace = fields?.get('of');
  const count = countPlace && readInteger(countPlace, 1, report);
  const of = ofPlace && readMembers(ofPlace, known, report, depth);
  if (countPlace === undefined || count === undefined || of === undefined) return undefined;
  const distinct = asSet(of.map(meaningOfRequirement)).length;
  if (count <= distinct) return { atLeast: { count, of } };
  return report(countPlace, `can never be met: \`of\` has ${distinct} different members`);
}
