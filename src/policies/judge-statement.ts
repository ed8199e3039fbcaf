import { earliest } from '../kernel/earliest.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { AttestationFound, ConditionFound } from '../verdict/report.ts';
import type { AttestationRequirement } from './attestation.ts';
import type { CelCondition } from './cel-expression.ts';
import type { Condition } from './conditions/condition.ts';
import { type Judgement, met, notMet } from './conditions/condition-kind.ts';
import { judgeCondition } from './conditions/index.ts';
import { judgeAge } from './freshness.ts';
import { loadCel } from './load-cel.ts';
import { describeSeen } from './seen-values.ts';
import { readStatement, type Statement } from './statement.ts';
import { quoted } from '../kernel/quoted.ts';

/** A statement and all that it takes to judge it: plain data, for this thread or another. */
export interface StatementTask {
  readonly requirements: readonly AttestationRequirement[];
  readonly predicateType: string;
  readonly payload: Uint8Array;
  readonly signedBy: Date | undefined;
  readonly now: Date;
  readonly artifact: { readonly repository: string; readonly digest: Digest };
}

/** Holds one statement against each requirement. A malformed statement meets none. */
export async function judgeStatement(task: StatementTask): Promise<AttestationFound> {
  const { predicateType, requirements } = task;
  const asked = requirements.filter((each) => each.predicateTypes.includes(predicateType));
  const others = requirements.filter((each) => !asked.includes(each)).map(ofAnotherType);
  const statement = asked.length === 0 ? undefined : readStatement(task.payload, predicateType);
  if (statement === undefined) return { predicateType, meets: [], conditions: others };
  if ('problem' in statement) {
    const because = statement.problem;
    const unread = asked.map(({ digest }) => {
      return { requirement: digest, condition: 'statement', outcome: 'not-met', because } as const;
    });
    return { predicateType, meets: [], conditions: [...others, ...unread] };
  }
  const conditions: ConditionFound[] = [...others];
  const meets: string[] = [];
  const ends: Date[] = [];
  for (const requirement of asked) {
    const { judgements, freshUntil } = await judgeRequirement(requirement, statement, task);
    conditions.push(...judgements.map((each) => toFound(requirement, each)));
    if (!judgements.every(({ judgement }) => judgement.isMet)) continue;
    meets.push(requirement.digest);
    if (freshUntil !== undefined) ends.push(freshUntil);
  }
  const freshUntil = earliest(...ends);
  return { predicateType, meets, conditions, ...(freshUntil && { freshUntil }) };
}

interface NamedJudgement {
  readonly condition: string;
  readonly judgement: Judgement;
}

/** The type is a condition like the others, so there is always at least one. */
async function judgeRequirement(
  { conditions, maxAgeMs }: AttestationRequirement,
  statement: Statement,
  task: StatementTask,
): Promise<{
  readonly judgements: readonly NamedJudgement[];
  readonly freshUntil: Date | undefined;
}> {
  const ofType = met(`predicateType is ${quoted(statement.predicateType, 200)}`);
  const judgements: NamedJudgement[] = [{ condition: 'predicateTypes', judgement: ofType }];
  const age = maxAgeMs === undefined ? undefined : judgeAge(maxAgeMs, conditions, statement, task);
  if (age !== undefined) judgements.push({ condition: 'maxAge', judgement: age });
  for (const condition of conditions) {
    const judgement = await judge(condition, statement, task);
    judgements.push({ condition: describeCondition(condition), judgement });
  }
  return { judgements, freshUntil: age?.freshUntil };
}

/** An error of a condition is a condition not met, and is shown. */
async function judge(
  condition: Condition,
  statement: Statement,
  { artifact }: StatementTask,
): Promise<Judgement> {
  try {
    if (condition.name === 'where')
      return await judgeWhere(condition.expression, statement, artifact);
    return judgeCondition(condition, { statement, artifact });
  } catch (error) {
    return notMet(`it could not be worked out: ${quoted(messageOf(error), 200)}`);
  }
}

const compiled = new Map<string, CelCondition>();
const maxCompiled = 1000;

async function judgeWhere(
  expression: string,
  { predicate, predicateType, subject }: Statement,
  artifact: StatementTask['artifact'],
): Promise<Judgement> {
  const condition = compiled.get(expression) ?? (await compile(expression));
  if ('problem' in condition) return notMet(condition.problem);
  const variables = { predicate, predicateType, subject, artifact: { ...artifact } };
  const result = condition.evaluate(variables);
  const seen = describeSeen(condition.shape.paths, variables);
  if (typeof result === 'boolean') return result ? met(seen) : notMet(`it is false: ${seen}`);
  return notMet(`it could not be worked out: ${quoted(result.problem, 200)}: ${seen}`);
}

async function compile(expression: string): Promise<CelCondition | { readonly problem: string }> {
  const { compileExpression } = await loadCel();
  const condition = compileExpression(expression);
  if ('problem' in condition) return condition;
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(expression, condition);
  return condition;
}

/** As the policy has it. */
function describeCondition(condition: Condition): string {
  return condition.name === 'where' ? `where ${quoted(condition.expression, 200)}` : condition.name;
}

function ofAnotherType({ digest, predicateTypes }: AttestationRequirement): ConditionFound {
  const because = `predicateType is none of ${predicateTypes.join(', ')}`;
  return { requirement: digest, condition: 'predicateTypes', outcome: 'not-met', because };
}

function toFound(
  { digest }: AttestationRequirement,
  { condition, judgement: { isMet, because } }: NamedJudgement,
): ConditionFound {
  return { requirement: digest, condition, outcome: isMet ? 'met' : 'not-met', because };
}
