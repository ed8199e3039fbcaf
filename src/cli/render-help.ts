import type { Command } from './command.ts';

const optionLines = [
  '  --config FILE   the configuration (default: ./assay.yaml, then config/assay.yaml)',
  '  --json          print JSON for programs',
  '  --help          print this',
];

/** What `assay COMMAND --help` prints. */
export function renderCommandHelp({ name, operands, description, examples }: Command): string {
  const usage = ['assay', name, operands, '[--config FILE] [--json]'];
  return [
    `Usage: ${usage.filter((word) => word !== '').join(' ')}`,
    '',
    description,
    '',
    'Options:',
    ...optionLines,
    '',
    'Examples:',
    ...examples.flatMap(({ line, does }) => [`  # ${does}`, `  ${line}`]),
  ].join('\n');
}

/** What `assay help` prints. */
export function renderHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) => ({
    call: `${command.name} ${command.operands}`.trim(),
    summary: command.summary,
  }));
  const width = Math.max(...rows.map(({ call }) => call.length));
  return [
    'Usage: assay COMMAND [ARGUMENTS] [--config FILE] [--json]',
    '',
    'Assay is a pull-through OCI proxy that serves only what it has verified.',
    '',
    'Commands:',
    ...rows.map(({ call, summary }) => `  ${call.padEnd(width)}  ${summary}`),
    '',
    'Options:',
    ...optionLines,
    '',
    'Exit codes: 0 done, or trusted; 1 untrusted, or failed; 2 could not find out;',
    '64 wrong usage; 70 a bug of ours; 78 bad configuration.',
    '',
    '`assay COMMAND --help` shows examples.',
  ].join('\n');
}
