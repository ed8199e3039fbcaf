import { parseArgs } from 'node:util';
import { messageOf } from '../kernel/tagged-error.ts';
import { UsageError } from './usage-error.ts';

export interface Arguments {
  readonly operands: readonly string[];
  readonly config: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** Every command takes the same options; throws `UsageError` for any other. */
export function parseArguments(words: readonly string[]): Arguments {
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
      },
    });
    const { config, json, help, version } = values;
    return { operands: positionals, config, json, help, version };
  } catch (cause) {
    // Node's own sentence, without the advice about option syntax behind it.
    const [sentence = ''] = messageOf(cause).split(/\. |\n/);
    throw new UsageError(
      sentence.replace(/^./, (first) => first.toLowerCase()),
      { cause },
    );
  }
}

/** The operands of a command that takes exactly `names`. */
export function exactly(operands: readonly string[], ...names: readonly string[]): string[] {
  const missing = names[operands.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const surplus = operands[names.length];
  if (surplus !== undefined) throw new UsageError(`there is one argument too many: '${surplus}'`);
  return [...operands];
}
