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
  /** What it takes beside the options of every command. */
  readonly options?: readonly CommandOption[];
  readonly examples: NonEmpty<{ readonly line: string; readonly does: string }>;
  run(invocation: Invocation): Promise<ExitCode>;
}

export interface CommandOption {
  /** Without its dashes; in all commands that have it, it takes the same. */
  readonly name: string;
  /** One letter for it; none of those that every command takes. */
  readonly short?: string;
  /** What stands behind it, such as `AGE`; undefined where nothing does. */
  readonly value?: string;
  readonly does: string;
}

/** By name, without dashes: the text behind an option, or true where none belongs there. */
export type GivenOptions = Readonly<Record<string, string | true>>;

/** A command line that was understood. */
export interface Invocation {
  readonly operands: readonly string[];
  /** `--config FILE`. */
  readonly config: string | undefined;
  /** `--json`. */
  readonly json: boolean;
  /** Those of the command's own that were given. */
  readonly options: GivenOptions;
  readonly terminal: Terminal;
}
