import { examineReference } from './examine-reference.ts';
import type { Command, Invocation } from './command.ts';
import { findConfig } from './find-config.ts';
import { renderVerdict } from './render-verdict.ts';

export const verify: Command = {
  name: 'verify',
  summary: 'verifies one reference now and prints the verdict',
  operands: 'REF',
  description: [
    'Resolves REF at its upstream, verifies it by the trust policy as a pull would, and prints the',
    'verdict. REF is written as the upstream names it. A tag is held against what the state remembers',
    'of it, where a rule asks for that. Nothing is kept, and a running server is not disturbed. Exits',
    'with 0 when trusted (or exempted), 1 when untrusted or not there, 2 when it could not be found',
    'out. With --refresh, servers on the same configuration forget what they found out about REF: its',
    'verdict, and where its tag pointed.',
  ].join('\n'),
  options: [{ name: 'refresh', does: 'servers look at it anew, too' }],
  examples: [
    { line: 'assay verify ghcr.io/acme/app:1.4', does: 'is the tag trusted as it points now?' },
    { line: 'assay verify docker.io/library/nginx@sha256:… --json', does: 'for a script' },
    { line: 'assay verify --refresh ghcr.io/acme/app:1.4', does: 'after it was signed anew' },
  ],
  run: async (invocation) => {
    const code = await examineReference(invocation, renderVerdict);
    if (invocation.options['refresh'] !== undefined) await refresh(invocation);
    return code;
  },
};

async function refresh({ operands, config }: Invocation): Promise<void> {
  const { loadConfig } = await import('../config/load.ts');
  const { askToLookAgain } = await import('../compose/look-again.ts');
  await askToLookAgain(await loadConfig(findConfig(config)), operands);
}
