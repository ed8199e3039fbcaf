import { describeProblems, type Problem } from '../kernel/source-problem.ts';
import { TaggedError } from '../kernel/tagged-error.ts';

/** A trust policy that does not load, with everything that is wrong in it. */
export class PolicyError extends TaggedError<'POLICY_MALFORMED'> {
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    super(
      'POLICY_MALFORMED',
      `the trust policy does not load:\n${describeProblems(file, problems)}`,
    );
    this.problems = problems;
  }
}
