import { messageOf } from '../kernel/tagged-error.ts';
import type { AttestationFound } from '../verdict/report.ts';
import type { AttestationRequirement, JudgeStatement } from './attestation.ts';
import type { Condition } from './conditions/condition.ts';
import { judgeStatement, type StatementTask } from './judge-statement.ts';

/** Judges in another thread. Rejects where no thread is free, or one is too slow or too large. */
export type JudgeApart = (task: StatementTask, signal: AbortSignal) => Promise<AttestationFound>;

/** Larger statements would keep other requests waiting while they are read. */
const maxBytesHere = 256 * 1024;
/** A loop over a list, with another list looked through at each turn, takes a square of this. */
const maxBytesOfLoopsHere = 4 * 1024;
/** A pattern takes its own length times that of the text. */
const maxBytesOfPatternsHere = 32 * 1024;

export function makeStatementJudge(judgeApart: JudgeApart): JudgeStatement {
  return async ({ rule, identity, statement, scope, subject, now }, signal) => {
    signal.throwIfAborted();
    const { predicateType, payload, signedBy } = statement;
    const requirements = rule.attestations.filter((each) => each.signedBy === identity);
    const artifact = { repository: scope, digest: subject };
    const task = { requirements, predicateType, payload, signedBy, now, artifact };
    const asked = requirements.filter((each) => each.predicateTypes.includes(predicateType));
    if (asked.length === 0 || payload.byteLength <= maxBytesFor(asked)) {
      return await judgeStatement(task);
    }
    try {
      return await judgeApart(task, signal);
    } catch (error) {
      signal.throwIfAborted();
      return undecided(task, `it could not be judged: ${messageOf(error)}`);
    }
  };
}

function maxBytesFor(requirements: readonly AttestationRequirement[]): number {
  const conditions = requirements.flatMap((requirement) => requirement.conditions);
  return Math.min(maxBytesHere, ...conditions.map(maxBytesOf));
}

/** Two loops may be one in the other. */
function maxBytesOf(condition: Condition): number {
  if (condition.name !== 'where') return maxBytesHere;
  const { loops, patterns } = condition;
  if (loops > 0) return loops === 1 ? maxBytesOfLoopsHere : 0;
  return patterns.length === 0 ? maxBytesHere : maxBytesOfPatternsHere;
}

/** Nothing was found out, which is neither a yes nor a no. */
function undecided(
  { requirements, predicateType }: StatementTask,
  because: string,
): AttestationFound {
  const conditions = requirements.map(({ digest, predicateTypes }) => {
    const common = { requirement: digest, condition: 'statement', because };
    const isAsked = predicateTypes.includes(predicateType);
    return { ...common, outcome: isAsked ? 'inconclusive' : 'not-met' } as const;
  });
  return { predicateType, meets: [], conditions };
}
