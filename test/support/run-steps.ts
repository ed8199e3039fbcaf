import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import type { Examination, Finding, Proven } from '../../src/formats/signature-format.ts';
import { TrustError } from '../../src/trust/trust-error.ts';

export type StepOutcome = Finding['outcome'] | 'not-run';

export interface StepsRun {
  /** Outcome by check, in the order of the checks. */
  readonly outcomes: Readonly<Record<string, StepOutcome>>;
  readonly findings: Readonly<Record<string, Finding>>;
  /** The first enforced check that did not pass. */
  readonly stoppedBy?: string;
  readonly proven: Proven;
}

/** Runs the steps as the contract of `CheckStep` says, with nothing else around them. */
export async function runSteps(examination: Examination): Promise<StepsRun> {
  const outcomes: Record<string, StepOutcome> = {};
  const findings: Record<string, Finding> = {};
  let stoppedBy: string | undefined;
  for (const step of examination.steps) {
    if (stoppedBy !== undefined) {
      outcomes[step.id] = 'not-run';
      continue;
    }
    const enforcement = step.enforcement();
    const finding: Finding =
      enforcement === 'skip'
        ? { outcome: 'skipped', because: 'the policy skips it' }
        : await findingOf(() => step.run());
    outcomes[step.id] = finding.outcome;
    findings[step.id] = finding;
    const isBad = finding.outcome === 'failed' || finding.outcome === 'inconclusive';
    if (isBad && enforcement === 'enforce') stoppedBy = step.id;
  }
  const proven = examination.proven();
  return { outcomes, findings, proven, ...(stoppedBy !== undefined && { stoppedBy }) };
}

async function findingOf(run: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof EnvelopeError) {
      return { outcome: 'failed', because: error.message, reason: 'signature-invalid' };
    }
    if (error instanceof TrustError) {
      return { outcome: 'inconclusive', because: error.message, reason: 'no-trusted-signer' };
    }
    throw error;
  }
}
