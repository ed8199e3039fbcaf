import type { JudgeStatement } from '../../src/policies/attestation.ts';

/** For what is not about attestations: no statement meets anything. */
export const meetsNothing: JudgeStatement = async ({ statement: { predicateType } }) => ({
  predicateType,
  meets: [],
  conditions: [],
});
