import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { renderCommandHelp, renderGroupHelp, renderHelp } from './render-help.ts';
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
      terminal.out(renderHelpOf([...commands, help], operands));
      return exitCodes.ok;
    },
  };
  return help;
}

/** What one command takes, or which there are where the words only begin some, as `policy` does. */
function renderHelpOf(commands: readonly Command[], words: readonly string[]): string {
  const name = words.join(' ');
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return renderCommandHelp(command);
  const begun = commandsBegunBy(commands, name);
  if (begun.length === 0) throw new UsageError(`there is no command '${name}'`);
  return renderGroupHelp(name, begun);
}

/** Those of several words, by the first of them. */
export function commandsBegunBy(commands: readonly Command[], word: string): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}
