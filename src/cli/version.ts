import { ownVersion } from '../compose/own-version.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export const version: Command = {
  name: 'version',
  summary: 'prints the version of Assay and of Node.js',
  operands: '',
  description: 'Prints the version of Assay and of the Node.js that runs it.',
  examples: [{ line: 'assay version --json', does: 'for a script' }],
  run: async ({ operands, json, terminal }) => {
    exactly(operands);
    const versions = { assay: ownVersion(), node: process.versions.node };
    const text = `assay ${versions.assay} (node ${versions.node})`;
    terminal.out(json ? JSON.stringify(versions, null, 2) : text);
    return exitCodes.ok;
  },
};
