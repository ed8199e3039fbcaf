import type { Reason } from '../verdict/reason.ts';
import type { SigningTimes } from '../verdict/signing-times.ts';

export interface AgeFault {
  readonly reason: Extract<Reason, 'signature-too-old' | 'signing-time-unproven'>;
  readonly because: string;
}

/**
 * Why signatures are too old for a tag; undefined where they are not, or no age is asked for. They
 * are as old as they can be by the accuracy of their times.
 */
export function judgeSignatureAge(
  maxAgeMs: number | undefined,
  signed: SigningTimes | undefined,
  now: Date,
): AgeFault | undefined {
  if (maxAgeMs === undefined) return undefined;
  const most = describeSpan(maxAgeMs);
  const since = signed?.freshest?.earliest;
  if (since === undefined) {
    const because = `a tag needs signatures of the last ${most}, and when these were made is unproven`;
    return { reason: 'signing-time-unproven', because };
  }
  if (now.getTime() < since.getTime() + maxAgeMs) return undefined;
  const because = `signed ${since.toISOString()}, and a tag needs signatures of the last ${most}`;
  return { reason: 'signature-too-old', because };
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** As the policy writes it. */
function describeSpan(ms: number): string {
  const [unit, unitMs] = units.find(([, each]) => ms % each === 0) ?? ['s', 1000];
  return `${ms / unitMs}${unit}`;
}
