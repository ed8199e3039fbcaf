import type { Digest } from '../../oci/digest.ts';
import type { Place, ReportProblem } from '../document-reader.ts';
import type { Statement } from '../statement.ts';
import type { Condition, ConditionName } from './condition.ts';

/** What a condition may look at. */
export interface Judged {
  readonly statement: Statement;
  readonly artifact: { readonly repository: string; readonly digest: Digest };
}

export interface Judgement {
  readonly isMet: boolean;
  /** What was seen, in words; untrusted text is quoted. */
  readonly because: string;
}

/** One named condition: how a policy writes it, and what it says of a statement. */
export interface ConditionKind<N extends ConditionName> {
  /** The types of predicate that it can read: others never meet it, and the policy does not load. */
  readonly predicateTypes: readonly string[];
  /** Reads its value in the policy. */
  read(place: Place, report: ReportProblem): Extract<Condition, { readonly name: N }> | undefined;
  /** Never throws for what a predicate says. */
  judge(condition: Extract<Condition, { readonly name: N }>, judged: Judged): Judgement;
}

export function met(because: string): Judgement {
  return { isMet: true, because };
}

export function notMet(because: string): Judgement {
  return { isMet: false, because };
}
