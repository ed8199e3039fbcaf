import type { Command, CommandOption } from './command.ts';

const commonOptions: readonly CommandOption[] = [
  {
    name: 'config',
    value: 'FILE',
    does: 'the configuration (default: ./assay.yaml, then config/assay.yaml)',
  },
  { name: 'json', does: 'print JSON for programs' },
  { name: 'help', does: 'print this' },
];

function callOf({ name, short, value }: CommandOption): string {
  const call = short === undefined ? `--${name}` : `-${short}, --${name}`;
  return value === undefined ? call : `${call} ${value}`;
}

function optionLines(own: readonly CommandOption[] = []): readonly string[] {
  const rows = [...own, ...commonOptions].map((option) => ({
    call: callOf(option),
    does: option.does,
  }));
  const width = Math.max(...rows.map(({ call }) => call.length));
  return rows.map(({ call, does }) => `  ${call.padEnd(width)}   ${does}`);
}

/** What `assay COMMAND --help` prints. */
export function renderCommandHelp(command: Command): string {
  const { name, operands, description, options = [], examples } = command;
  const own = options.map((option) => `[${callOf(option)}]`);
  const usage = ['assay', name, operands, ...own, '[--config FILE] [--json]'];
  return [
    `Usage: ${usage.filter((word) => word !== '').join(' ')}`,
    '',
    description,
    '',
    'Options:',
    ...optionLines(options),
    '',
    'Examples:',
    ...examples.flatMap(({ line, does }) => [`  # ${does}`, `  ${line}`]),
  ].join('\n');
}

function commandLines(commands: readonly Command[]): readonly string[] {
  const rows = commands.map((command) => ({
    call: `${command.name} ${command.operands}`.trim(),
    summary: command.summary,
  }));
  const width = Math.max(...rows.map(({ call }) => call.length));
  return rows.map(({ call, summary }) => `  ${call.padEnd(width)}  ${summary}`);
}

/** What `assay policy --help` prints: the commands that begin with that word. */
export function renderGroupHelp(word: string, commands: readonly Command[]): string {
  return [
    `Usage: assay ${word} COMMAND [ARGUMENTS] [--config FILE] [--json]`,
    '',
    'Commands:',
    ...commandLines(commands),
    '',
    `\`assay ${word} COMMAND --help\` shows examples.`,
  ].join('\n');
}

/** What `assay help` prints. */
export function renderHelp(commands: readonly Command[]): string {
  return [
    'Usage: assay COMMAND [ARGUMENTS] [--config FILE] [--json]',
    '',
    'Assay is a pull-through OCI proxy that serves only what it has verified.',
    '',
    'Commands:',
    ...commandLines(commands),
    '',
    'Options:',
    ...optionLines(),
    '',
    'Exit codes: 0 done, or trusted; 1 untrusted, or failed; 2 could not find out;',
    '64 wrong usage; 70 a bug of ours; 78 bad configuration.',
    '',
    '`assay COMMAND --help` shows examples.',
  ].join('\n');
}
