import type { ExaminationContext, Proven, ProvenStatement } from '../formats/signature-format.ts';
import { earliest } from '../kernel/earliest.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Check } from '../verdict/check.ts';
import type { IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { AttestationFound, Report } from '../verdict/report.ts';
import type { Candidate } from './candidate.ts';
import { runChecks } from './run-checks.ts';

/** Holds what an identity attests against the conditions of the rule. */
export type Judge = (identity: string, statement: ProvenStatement) => Promise<AttestationFound>;

/** Holds one candidate against one identity; `requirement` is undefined where it has none here. */
export async function examine(
  candidate: Exclude<Candidate, { kind: 'other' }>,
  subject: Descriptor,
  identity: string,
  requirement: IdentityRequirement | undefined,
  context: ExaminationContext,
  judge: Judge,
): Promise<Report> {
  const { digest, envelope } = candidate;
  const common = { signature: digest, ...(envelope && { envelope }), identity, loggedFailures: 0 };
  if (candidate.kind === 'broken') {
    const checks = [check('signature-readable', 'failed', candidate.because)];
    const { format } = candidate;
    return { ...common, format, outcome: 'untrusted', reason: 'signature-invalid', checks };
  }
  if (candidate.kind === 'unfetched') {
    const checks = [check('signature-readable', 'inconclusive', candidate.because)];
    const reason = 'upstream-unavailable';
    return { ...common, format: 'unrecognized', outcome: 'inconclusive', reason, checks };
  }
  const { format } = candidate;
  const unfit = unfitFor(identity, candidate, requirement);
  if (unfit !== undefined || requirement === undefined || candidate.kind === 'foreign') {
    const checks = unfit === undefined ? [] : [unfit];
    const outcome = 'untrusted';
    return { ...common, format: format.id, outcome, reason: 'no-trusted-signer', checks };
  }
  const examination = format.examine(candidate.untrusted, subject, requirement, context);
  const run = await runChecks(examination.steps);
  const proven = examination.proven();
  const report = toReport({ ...common, ...run, format: format.id }, proven);
  const { statement } = proven;
  const isAttested = report.outcome === 'trusted' && statement !== undefined;
  return isAttested ? withStatement(report, statement, judge) : report;
}

function toReport(run: Report, { signer, trustedTime, validUntil }: Proven): Report {
  // A signature that proves nobody vouches for nothing, whatever else it passed.
  const isNobodys = run.outcome === 'trusted' && signer === undefined;
  const outcome = isNobodys ? 'untrusted' : run.outcome;
  const reason = run.reason ?? (isNobodys ? 'no-trusted-signer' : undefined);
  return {
    ...run,
    outcome,
    ...(reason !== undefined && { reason }),
    ...(signer !== undefined && { signer }),
    ...(trustedTime !== undefined && { signedAt: trustedTime }),
    ...(validUntil !== undefined && { validUntil }),
  };
}

/** Whoever signed the statement is proven; what it says may still not be worked out. */
async function withStatement(
  report: Report,
  statement: ProvenStatement,
  judge: Judge,
): Promise<Report> {
  const { identity, validUntil } = report;
  try {
    const attestation = await judge(identity, statement);
    const { freshUntil } = attestation;
    if (freshUntil === undefined) return { ...report, attestation };
    return { ...report, attestation, validUntil: earliest(freshUntil, validUntil) };
  } catch (error) {
    const { predicateType } = statement;
    const attestation = { predicateType, meets: [], conditions: [] };
    const checks = [...report.checks, check('conditions', 'inconclusive', messageOf(error))];
    return { ...report, outcome: 'inconclusive', reason: 'not-verifiable', checks, attestation };
  }
}

/** Why no check is worth while. */
function unfitFor(
  identity: string,
  { format }: Extract<Candidate, { kind: 'signature' | 'foreign' }>,
  requirement: IdentityRequirement | undefined,
): Check | undefined {
  if (requirement === undefined) {
    const because = `the Notation trust policy of ${identity} has no statement for this repository`;
    return check('policy-scope', 'failed', because);
  }
  if (format.family === requirement.family) return undefined;
  const because = `${identity} is proven by signatures of ${requirement.family} only`;
  return check('format-fits-identity', 'failed', because);
}

function check(id: string, outcome: 'failed' | 'inconclusive', because: string): Check {
  const rule = 'OCI image-spec, Image Manifest';
  return { id, outcome, enforcement: 'enforce', rule, because };
}
