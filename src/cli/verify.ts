import { examineReference } from './examine-reference.ts';
import type { Command } from './command.ts';
import { renderVerdict } from './render-verdict.ts';

export const verify: Command = {
  name: 'verify',
  summary: 'verifies one reference now and prints the verdict',
  operands: 'REF',
  description: [
    'Resolves REF at its upstream, verifies it by the trust policy as a pull would, and prints the',
    'verdict. REF is written as the upstream names it. Nothing is kept, and a running server is not',
    'disturbed. Exits with 0 when trusted (or exempted), 1 when untrusted or not there, 2 when it',
    'could not be found out.',
  ].join('\n'),
  examples: [
    { line: 'assay verify ghcr.io/acme/app:1.4', does: 'is the tag trusted as it points now?' },
    { line: 'assay verify docker.io/library/nginx@sha256:… --json', does: 'for a script' },
  ],
  run: (invocation) => examineReference(invocation, renderVerdict),
};
