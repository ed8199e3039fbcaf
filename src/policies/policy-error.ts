import { describeProblems, type Problem } from '../files/problem.ts';
import { TaggedError } from '../kernel/tagged-error.ts';

/** A trust policy that does not load, with everything that is wrong in it. */
export class PolicyError extends TaggedError<'POLICY_MALFORMED'> {
  /** One a problem: `FILE:LINE:COLUMN: PATH: MESSAGE`. */
  readonly messages: readonly string[];

  constructor(file: string, problems: readonly Problem[]) {
    const messages = describeProblems(file, problems);
    super('POLICY_MALFORMED', `the trust policy does not load:\n${messages.join('\n')}`);
    this.messages = messages;
  }
}
