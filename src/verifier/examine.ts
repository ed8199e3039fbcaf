import type { ExaminationContext } from '../formats/signature-format.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Check } from '../verdict/check.ts';
import type { IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { Report } from '../verdict/report.ts';
import type { Candidate } from './candidate.ts';
import { runChecks } from './run-checks.ts';

/** Holds one candidate against one identity; `requirement` is undefined where it has none here. */
export async function examine(
  candidate: Exclude<Candidate, { kind: 'other' }>,
  subject: Descriptor,
  identity: string,
  requirement: IdentityRequirement | undefined,
  context: ExaminationContext,
): Promise<Report> {
  const common = { signature: candidate.digest, identity, loggedFailures: 0 };
  if (candidate.kind === 'broken') {
    const checks = [check('signature-readable', 'failed', candidate.because)];
    const { format } = candidate;
    return { ...common, format, outcome: 'untrusted', reason: 'signature-invalid', checks };
  }
  if (candidate.kind === 'unfetched') {
    const checks = [check('signature-readable', 'inconclusive', candidate.because)];
    const reason = 'upstream-unavailable';
    return { ...common, format: 'unknown', outcome: 'inconclusive', reason, checks };
  }
  const format = candidate.format.id;
  if (requirement === undefined) {
    const because = `the Notation trust policy of ${identity} has no statement for this repository`;
    const checks = [check('policy-scope', 'failed', because)];
    return { ...common, format, outcome: 'untrusted', reason: 'no-trusted-signer', checks };
  }
  if (candidate.format.family !== requirement.family) {
    const because = `${identity} is proven by signatures of ${requirement.family} only`;
    const checks = [check('format-fits-identity', 'failed', because)];
    return { ...common, format, outcome: 'untrusted', reason: 'no-trusted-signer', checks };
  }
  const { untrusted } = candidate;
  const examination = candidate.format.examine(untrusted, subject, requirement, context);
  const run = await runChecks(examination.steps);
  const { signer, validUntil } = examination.proven();
  // A signature that proves nobody vouches for nothing, whatever else it passed.
  const outcome = run.outcome === 'trusted' && signer === undefined ? 'untrusted' : run.outcome;
  const reason = run.reason ?? (outcome === 'untrusted' ? 'no-trusted-signer' : undefined);
  return {
    ...common,
    ...run,
    format,
    outcome,
    ...(reason !== undefined && { reason }),
    ...(signer !== undefined && { signer }),
    ...(validUntil !== undefined && { validUntil }),
  };
}

function check(id: string, outcome: 'failed' | 'inconclusive', because: string): Check {
  const rule = 'Notary Project, Signature Specification, Storage';
  return { id, outcome, enforcement: 'enforce', rule, because };
}
