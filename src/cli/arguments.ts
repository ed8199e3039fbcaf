import { parseArgs } from 'node:util';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Command, CommandOption, GivenOptions } from './command.ts';
import { UsageError } from './usage-error.ts';

export interface Arguments {
  readonly operands: readonly string[];
  readonly config: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** Those that not every command has. */
  readonly options: GivenOptions;
}

/** Takes the options of every command, and `more`; throws `UsageError` for any other. */
export function parseArguments(
  words: readonly string[],
  more: readonly CommandOption[] = [],
): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      strict: true,
      options: {
        config: { type: 'string', short: 'c' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
        ...Object.fromEntries(more.map(toParseOption)),
      },
    });
    const { config, json, help, version, ...options } = values;
    return { operands: positionals, config, json, help, version, options };
  } catch (cause) {
    // Node's own sentence, without the advice about option syntax behind it.
    const [sentence = ''] = messageOf(cause).split(/\. |\n/);
    throw new UsageError(
      sentence.replace(/^./, (first) => first.toLowerCase()),
      { cause },
    );
  }
}

function toParseOption({ name, short, value }: CommandOption) {
  const type = value === undefined ? 'boolean' : 'string';
  return [name, { type, ...(short !== undefined && { short }) }] as const;
}

/** Throws `UsageError` for an option that belongs to other commands. */
export function assertTakes({ name, options = [] }: Command, given: GivenOptions): void {
  const foreign = Object.keys(given).find((each) => !options.some((own) => own.name === each));
  if (foreign !== undefined) throw new UsageError(`'assay ${name}' takes no --${foreign}`);
}

/** The operands of a command that takes exactly `names`. */
export function exactly(operands: readonly string[], ...names: readonly string[]): string[] {
  const missing = names[operands.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const surplus = operands[names.length];
  if (surplus !== undefined) throw new UsageError(`there is one argument too many: '${surplus}'`);
  return [...operands];
}
