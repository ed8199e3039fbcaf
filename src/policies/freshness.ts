import type { Condition } from './conditions/condition.ts';
import { type Judgement, met, notMet } from './conditions/condition-kind.ts';
import { familyOf } from './conditions/predicate-types.ts';
import { type Statement, textAt } from './statement.ts';

/** Clocks of signers and of ours may differ by so much. */
const toleranceMs = 5 * 60_000;

export type AgeJudgement = Judgement & { readonly freshUntil?: Date };

/**
 * Whether a statement is young enough. A scan and a verification summary are as old as they say
 * that the work was done, since an old result may be signed anew; that may not be after the trusted
 * time of the signature. Anything else is as old as its signature, of which a time must be proven.
 */
export function judgeAge(
  maxAgeMs: number,
  conditions: readonly Condition[],
  statement: Statement,
  { signedBy, now }: { readonly signedBy: Date | undefined; readonly now: Date },
): AgeJudgement {
  const path = pathOfOwnTime(conditions, statement);
  const own = path && parseInstant(textAt(statement.predicate, ...path));
  if (path !== undefined && own === undefined) return notMet(`${path.join('.')} is no time`);
  const since = own ?? signedBy;
  if (since === undefined) return notMet('no trusted time of its signature is proven');
  const made = `it was made at ${since.toISOString()}`;
  const latest =
    (signedBy !== undefined && signedBy < now ? signedBy : now).getTime() + toleranceMs;
  if (since.getTime() > latest) return notMet(`${made}, which is after it was signed`);
  const freshUntil = new Date(since.getTime() + maxAgeMs);
  if (now >= freshUntil) return notMet(`${made}, too long ago`);
  return { ...met(made), freshUntil };
}

/** Where a predicate says when the work was done that it speaks of. */
function pathOfOwnTime(
  conditions: readonly Condition[],
  { predicateType }: Statement,
): readonly string[] | undefined {
  const family = familyOf(predicateType);
  if (family === 'vsa') return ['timeVerified'];
  if (family === 'cosignVulnerabilities' || family === 'inTotoVulnerabilities') {
    return ['metadata', 'scanFinishedOn'];
  }
  const isScan = conditions.some(({ name }) => name === 'vuln.maxSeverity');
  return family === 'cyclonedx' && isScan ? ['metadata', 'timestamp'] : undefined;
}

// RFC 3339 section 5.6; Go writes nanoseconds.
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function parseInstant(text: string | undefined): Date | undefined {
  if (text === undefined || !instant.test(text)) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
