import { examineReference } from './examine-reference.ts';
import type { Command } from './command.ts';
import { renderExplanation } from './render-explanation.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'the same with every signature and every check, and what to do',
  operands: 'REF',
  description: [
    'Verifies REF as `assay verify` does and prints the whole way to the verdict as a tree: where',
    'signatures were looked for, each that was found, each check that was made, skipped or not run,',
    'with the rule of the specification behind it; then what to do. Exit codes are those of `verify`.',
  ].join('\n'),
  examples: [
    { line: 'assay explain ghcr.io/acme/app:1.4', does: 'why is it refused?' },
    {
      line: 'assay explain ghcr.io/acme/app:1.4 --json',
      does: 'the verdict as the admin API gives it',
    },
  ],
  run: (invocation) => examineReference(invocation, renderExplanation),
};
