import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { renderCommandHelp, renderHelp } from './render-help.ts';
import { UsageError } from './usage-error.ts';

/** `assay help [COMMAND]`, over every other command. */
export function makeHelp(commands: readonly Command[]): Command {
  const help: Command = {
    name: 'help',
    summary: 'lists the commands, or explains one',
    operands: '[COMMAND]',
    description: 'Lists the commands, or explains the one that is named.',
    examples: [{ line: 'assay help verify', does: 'what `assay verify` takes' }],
    run: async ({ operands, json, terminal }) => {
      if (operands.length === 0) {
        const listed = [...commands, help].map(({ name, summary }) => ({ name, summary }));
        const text = renderHelp([...commands, help]);
        terminal.out(json ? JSON.stringify({ commands: listed }, null, 2) : text);
        return exitCodes.ok;
      }
      const name = operands.join(' ');
      const command = [...commands, help].find((candidate) => candidate.name === name);
      if (command === undefined) throw new UsageError(`there is no command '${name}'`);
      terminal.out(renderCommandHelp(command));
      return exitCodes.ok;
    },
  };
  return help;
}
