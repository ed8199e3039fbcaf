import { isNonEmpty } from '../kernel/non-empty.ts';
import { shortened } from '../kernel/quoted.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import type { CheckStep, Finding } from '../formats/signature-format.ts';
import type { Check, Enforcement } from '../verdict/check.ts';
import type { Reason } from '../verdict/reason.ts';
import type { Report } from '../verdict/report.ts';

export type ChecksRun = Pick<Report, 'outcome' | 'checks' | 'loggedFailures'> & {
  readonly reason?: Reason;
};

/**
 * Runs every step in order and reports each. An enforced failure keeps the later ones from
 * running; a logged one is shown and counted. No step at all is no ground for trust.
 */
export async function runChecks(steps: readonly CheckStep[]): Promise<ChecksRun> {
  const checks: Check[] = [];
  let loggedFailures = 0;
  let stopped: { readonly by: string; readonly finding: StoppingFinding } | undefined;
  for (const step of steps) {
    if (stopped !== undefined) {
      const because = `${stopped.by} ${stopped.finding.outcome === 'failed' ? 'failed' : 'is inconclusive'}`;
      checks.push(toCheck(step, 'enforce', { outcome: 'not-run', because }));
      continue;
    }
    const enforcement = step.enforcement();
    const finding = enforcement === 'skip' ? skipped : await findingOf(step);
    checks.push(toCheck(step, enforcement, finding));
    if (finding.outcome !== 'failed' && finding.outcome !== 'inconclusive') continue;
    if (enforcement === 'enforce') stopped = { by: step.id, finding };
    else loggedFailures += 1;
  }
  if (stopped !== undefined) {
    const outcome = stopped.finding.outcome === 'failed' ? 'untrusted' : 'inconclusive';
    return { outcome, checks, loggedFailures, reason: stopped.finding.reason };
  }
  if (!isNonEmpty(checks)) return { outcome: 'untrusted', checks, loggedFailures };
  return { outcome: 'trusted', checks, loggedFailures };
}

type StoppingFinding = Extract<Finding, { outcome: 'failed' | 'inconclusive' }>;

// Names in certificates are as long as a stranger likes, and a verdict is kept with all its words.
const maxBecauseLength = 2000;
const maxEvidenceLength = 1000;

function inShort(evidence: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(evidence).map(([name, text]) => [name, shortened(text, maxEvidenceLength)]),
  );
}

const skipped = { outcome: 'skipped', because: 'the level or an override skips it' } as const;

async function findingOf(step: CheckStep): Promise<Finding> {
  try {
    return await step.run();
  } catch (error) {
    // Unreadable bytes are the signer's fault; anything else is ours, and then nothing was found out.
    if (error instanceof TaggedError && error.name === 'EnvelopeError') {
      return { outcome: 'failed', because: error.message, reason: 'signature-invalid' };
    }
    return { outcome: 'inconclusive', because: messageOf(error), reason: 'not-verifiable' };
  }
}

function toCheck(
  step: CheckStep,
  enforcement: Enforcement,
  finding: Finding | { readonly outcome: 'not-run'; readonly because: string },
): Check {
  return {
    id: step.id,
    outcome: finding.outcome,
    enforcement,
    rule: step.rule,
    ...('because' in finding && { because: shortened(finding.because, maxBecauseLength) }),
    ...('evidence' in finding && finding.evidence && { evidence: inShort(finding.evidence) }),
  };
}
