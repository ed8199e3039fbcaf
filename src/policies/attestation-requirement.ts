import { isNonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import type { AttestationRequirement } from './attestation.ts';
import { asSet, type Canonical, digestOfMeaning } from './canonical.ts';
import type { Condition } from './conditions/condition.ts';
import { conditionKinds, conditionNames, type NamedCondition } from './conditions/index.ts';
import { readTexts } from './conditions/text-rule.ts';
import {
  type Fields,
  type Place,
  readFields,
  readSpan,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import type { Known } from './known.ts';
import { readIdentityName } from './known.ts';

const keys = {
  required: ['predicateTypes', 'signedBy'],
  optional: ['conditions', 'where', 'maxAge'],
};

/** cosign's own statement that an image is signed: a signature, and asked for by `signedBy`. */
const signatureType = 'https://sigstore.dev/cosign/sign/v1';

/** Reads what follows `attestation:`. */
export function readAttestation(
  place: Place,
  known: Known,
  report: ReportProblem,
): AttestationRequirement | undefined {
  const fields = readFields(place, keys, report);
  if (fields === undefined) return undefined;
  const types = readPredicateTypes(fields.get('predicateTypes'), report);
  const signer = fields.get('signedBy');
  const signedBy = signer && readIdentityName(signer, known, report);
  const named = readConditions(fields.get('conditions'), types, report);
  const where = readWhere(fields, known, report);
  const agePlace = fields.get('maxAge');
  // An age that does not load has been reported, and so the policy does not load.
  const maxAgeMs = agePlace && readSpan(agePlace, report);
  if (types === undefined || signedBy === undefined) return undefined;
  if (named === undefined || where === undefined) return undefined;
  const conditions = [...named, ...where];
  return withDigest({ predicateTypes: types, signedBy, conditions, maxAgeMs });
}

function withDigest(requirement: Omit<AttestationRequirement, 'digest'>): AttestationRequirement {
  const { predicateTypes, signedBy, conditions, maxAgeMs } = requirement;
  const digest = digestOfMeaning({
    predicateTypes: asSet(predicateTypes),
    signedBy,
    conditions: asSet(conditions.map(meaningOfCondition)),
    maxAgeMs: maxAgeMs ?? null,
  });
  return { digest, ...requirement };
}

function meaningOfCondition(condition: Condition): Canonical {
  // Plain data; what is not asked for is left out.
  return JSON.parse(JSON.stringify(condition)) as Canonical;
}

function readPredicateTypes(
  place: Place | undefined,
  report: ReportProblem,
): AttestationRequirement['predicateTypes'] | undefined {
  if (place === undefined) return undefined; // Reported as missing.
  if (place.node.kind !== 'list') return report(place, 'must be a list');
  const types = readTexts(place, report);
  if (types?.includes(signatureType)) {
    return report(place, `${signatureType} is a signature: ask for it with signedBy alone`);
  }
  const pattern = types?.find((type) => type.includes('*'));
  if (pattern === undefined) return types;
  return report(place, `${quoted(pattern)} has a \`*\`: types are compared exactly`);
}

/** A condition that can't read one of the types would make that type a dead letter. */
function readConditions(
  place: Place | undefined,
  types: readonly string[] = [],
  report: ReportProblem,
): readonly NamedCondition[] | undefined {
  if (place === undefined) return [];
  const fields = readFields(place, { optional: conditionNames }, report);
  if (fields?.size === 0) return report(place, 'must not be empty');
  const conditions = [...(fields ?? [])].map(([key, value]) =>
    readCondition(key, value, types, report),
  );
  const known = conditions.filter((condition) => condition !== undefined);
  return isNonEmpty(known) && known.length === conditions.length ? known : undefined;
}

function readCondition(
  key: string,
  place: Place,
  types: readonly string[],
  report: ReportProblem,
): NamedCondition | undefined {
  const name = conditionNames.find((candidate) => candidate === key);
  if (name === undefined) return undefined; // Reported as unknown.
  const kind = conditionKinds[name];
  const illegible = types.find((type) => !kind.predicateTypes.includes(type));
  if (illegible === undefined) return kind.read(place, report);
  const legible = kind.predicateTypes.join(', ');
  return report(place, `can not be read from ${quoted(illegible, 200)}, only from ${legible}`);
}

function readWhere(
  fields: Fields,
  { checkExpression }: Known,
  report: ReportProblem,
): readonly Condition[] | undefined {
  const place = fields.get('where');
  if (place === undefined) return [];
  const expression = readText(place, report, 65_536);
  if (expression === undefined) return undefined;
  if (checkExpression === undefined) throw new TypeError('no expression was expected');
  const checked = checkExpression(expression);
  return 'problem' in checked
    ? report(place, `${quoted(expression)} ${checked.problem}`)
    : [{ name: 'where', expression, ...checked }];
}
