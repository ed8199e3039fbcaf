import type { NonEmpty } from '../../src/kernel/non-empty.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { AttestationRequirement, SignedStatement } from '../../src/policies/attestation.ts';
import type { Condition } from '../../src/policies/conditions/condition.ts';
import { judgeStatement, type StatementTask } from '../../src/policies/judge-statement.ts';
import type { RequireRule } from '../../src/policies/policy.ts';
import type { AttestationFound, ConditionFound } from '../../src/verdict/report.ts';

export const scope = 'ghcr.io/acme/app';
export const subject: Digest = digestOf(Buffer.from('the artifact'));
export const now = new Date('2030-01-01T00:00:00Z');

export const types = {
  slsa: 'https://slsa.dev/provenance/v1',
  slsaV02: 'https://slsa.dev/provenance/v0.2',
  vsa: 'https://slsa.dev/verification_summary/v1',
  spdx: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  cosignVuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  vulns: 'https://in-toto.io/attestation/vulns/v0.2',
  vex: 'https://openvex.dev/ns',
} as const;

/** An in-toto statement about `subject`, as its signer wrote it. */
export function statementOf(
  predicateType: string,
  predicate: unknown,
  overrides: Readonly<Record<string, unknown>> = {},
): Buffer {
  const [algorithm = '', hash = ''] = subject.split(':');
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: scope, digest: { [algorithm]: hash } }],
      predicateType,
      predicate,
      ...overrides,
    }),
  );
}

export function signedStatement(predicateType: string, predicate: unknown): SignedStatement {
  return { predicateType, payload: statementOf(predicateType, predicate) };
}

export function requirementOf(
  predicateTypes: NonEmpty<string>,
  conditions: readonly Condition[] = [],
  overrides: Partial<AttestationRequirement> = {},
): AttestationRequirement {
  const digest = `requirement ${predicateTypes.join()} ${JSON.stringify(conditions)}`;
  const maxAgeMs = undefined;
  return { digest, predicateTypes, signedBy: 'ci', conditions, maxAgeMs, ...overrides };
}

export function taskOf(
  requirement: AttestationRequirement,
  payload: Uint8Array,
  overrides: Partial<StatementTask> = {},
): StatementTask {
  const [predicateType] = requirement.predicateTypes;
  const artifact = { repository: scope, digest: subject };
  const task = { requirements: [requirement], predicateType, payload, signedBy: undefined };
  return { ...task, now, artifact, ...overrides };
}

/** What one condition says of one predicate. */
export async function judgeOne(
  condition: Condition,
  predicateType: string,
  predicate: unknown,
): Promise<{ readonly found: AttestationFound; readonly condition: ConditionFound | undefined }> {
  const requirement = requirementOf([predicateType], [condition]);
  const found = await judgeStatement(taskOf(requirement, statementOf(predicateType, predicate)));
  return { found, condition: found.conditions.at(-1) };
}

/** A rule of which only the attestations matter. */
export function ruleWith(...attestations: readonly AttestationRequirement[]): RequireRule {
  return {
    kind: 'require',
    name: 'rule 1 (line 1)',
    digest: 'digest of the rule',
    until: undefined,
    requirement: { signedBy: 'ci' },
    covers: 'index',
    audit: undefined,
    tags: undefined,
    trustStores: [],
    sigstoreRoots: [],
    identities: ['ci'],
    attestations,
  };
}
