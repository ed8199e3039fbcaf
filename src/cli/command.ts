import type { NonEmpty } from '../kernel/non-empty.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** One command of `assay`. It prints and never decides. */
export interface Command {
  /** As typed, such as `policy check`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it takes, such as `REF`; empty when nothing. */
  readonly operands: string;
  readonly description: string;
  readonly examples: NonEmpty<{ readonly line: string; readonly does: string }>;
  run(invocation: Invocation): Promise<ExitCode>;
}

/** A command line that was understood. */
export interface Invocation {
  readonly operands: readonly string[];
  /** `--config FILE`. */
  readonly config: string | undefined;
  /** `--json`. */
  readonly json: boolean;
  readonly terminal: Terminal;
}
