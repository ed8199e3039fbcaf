import type { AttestationRequirement } from './attestation.ts';
import type { Condition, TextRule } from './conditions/condition.ts';
import { familyOf } from './conditions/predicate-types.ts';
import { doubtsOfPattern, doubtsOfSearch } from './pattern-lint.ts';

/** What is doubtful in what an attestation must say. */
export function doubtsOfAttestation(attestation: AttestationRequirement): readonly string[] {
  const { conditions, maxAgeMs, predicateTypes } = attestation;
  const doubts = conditions.flatMap((condition) => [
    ...patternsOf(condition).flatMap(doubtsOfPattern),
    ...(condition.name === 'where' ? condition.patterns.flatMap(doubtsOfSearch) : []),
  ]);
  const types = predicateTypes.join(', ');
  if (conditions.length === 0) {
    doubts.push(`attestation ${types}: without conditions or where, whatever it says is enough`);
  }
  if (maxAgeMs === undefined && conditions.some(({ name }) => name === 'vuln.maxSeverity')) {
    doubts.push(`attestation ${types}: without maxAge an old scan is as good as a new one`);
  }
  const isProvenance = predicateTypes.some((type) => familyOf(type) === 'slsa');
  if (isProvenance && conditions.length > 0 && !conditions.some(speaksOfBuilder)) {
    doubts.push(`attestation ${types}: nothing is asked of its builder`);
  }
  return doubts;
}

function speaksOfBuilder(condition: Condition): boolean {
  return condition.name === 'slsa.builder' || condition.name === 'where';
}

function patternsOf(condition: Condition): readonly TextRule[] {
  if (condition.name === 'slsa.builder') return condition.ids;
  if (condition.name === 'vsa.level') return [condition.verifier];
  if (condition.name !== 'slsa.source') return [];
  const { repository, ref, path } = condition;
  return [repository, ref, path].filter((rule) => rule !== undefined);
}
