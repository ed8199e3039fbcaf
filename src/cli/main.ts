import { messageOf } from '../kernel/tagged-error.ts';
import { type Arguments, assertTakes, parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { describeFailure } from './describe-failure.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { commandsBegunBy, makeHelp } from './help.ts';
import { printable, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { version as versionCommand } from './version.ts';

const helpCommand = makeHelp(commands);
const allCommands: readonly Command[] = [...commands, helpCommand];
const allOptions = allCommands.flatMap(({ options = [] }) => options);

/** Arguments in, exit code out. Never throws, and shows no stack trace for a user's mistake. */
export async function main(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let json = false;
  try {
    const parsed = parseArguments(words, allOptions);
    json = parsed.json;
    return await dispatch(parsed, terminal);
  } catch (error) {
    return report(error, json, terminal);
  }
}

async function dispatch(parsed: Arguments, terminal: Terminal): Promise<ExitCode> {
  const { config, json, help, version, options } = parsed;
  if (version) return versionCommand.run({ operands: [], config, json, options: {}, terminal });
  const { command, operands } = select(parsed.operands);
  if (help) {
    const named = command === undefined ? parsed.operands : command.name.split(' ');
    return helpCommand.run({ operands: named, config, json, options: {}, terminal });
  }
  if (command === undefined) throw new UsageError(whatIsMissing(operands));
  assertTakes(command, options);
  return command.run({ operands, config, json, options, terminal });
}

/** The command whose words begin the operands; `policy check` has two. */
function select(operands: readonly string[]): {
  readonly command: Command | undefined;
  readonly operands: readonly string[];
} {
  if (operands.length === 0) return { command: undefined, operands };
  for (const command of allCommands) {
    const words = command.name.split(' ');
    if (words.every((word, index) => operands[index] === word)) {
      return { command, operands: operands.slice(words.length) };
    }
  }
  const [word = ''] = operands;
  if (operands.length === 1 && commandsBegunBy(allCommands, word).length > 0) {
    return { command: undefined, operands };
  }
  throw new UsageError(`there is no command '${operands.slice(0, 2).join(' ')}'`);
}

function whatIsMissing([word]: readonly string[]): string {
  if (word === undefined) return 'a command is missing';
  const begun = commandsBegunBy(allCommands, word).map(({ name }) => `'${name}'`);
  return `'${word}' is no command, but ${begun.join(', ')}`;
}

function report(error: unknown, json: boolean, terminal: Terminal): ExitCode {
  const { exitCode, code, lines } = describeFailure(error);
  if (json) terminal.out(JSON.stringify({ error: { code, messages: lines } }, null, 2));
  for (const line of lines) terminal.err(`assay: ${printable(line)}`);
  if (exitCode === exitCodes.usage) terminal.err("Try 'assay help'.");
  if (exitCode === exitCodes.internal && error instanceof Error) {
    terminal.err(error.stack ?? messageOf(error));
  }
  return exitCode;
}
