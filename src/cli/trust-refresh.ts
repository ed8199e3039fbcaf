import type { RefreshedRoot } from '../compose/refresh-roots.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { type Paint, printable } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const timeoutMs = 300_000;

export const trustRefresh: Command = {
  name: 'trust refresh',
  summary: 'fetches the Sigstore roots anew, now',
  operands: '',
  description: [
    'Follows every TUF repository under `trust.sigstore` to its newest trusted root and keeps that',
    'under `storage.path`. A live server on the same configuration takes it into use within seconds;',
    'by itself it refreshes every six hours. What fails leaves the last good root in place.',
    'Exits with 2 where one could not be refreshed. Refuses where `trust.offline` is true.',
  ].join('\n'),
  examples: [
    { line: 'assay trust refresh', does: 'after a key of the log has changed' },
    { line: 'assay trust refresh --json', does: 'for a script' },
  ],
  run: async ({ operands, config: named, json, terminal }) => {
    exactly(operands);
    // Loaded when they are needed: `assay help` should not wait for them.
    const { loadConfig } = await import('../config/load.ts');
    const { refreshRoots } = await import('../compose/refresh-roots.ts');
    const config = await loadConfig(findConfig(named));
    if (config.trust.offline) {
      throw new UsageError('trust.offline is true: nothing may be fetched');
    }
    const roots = await refreshRoots(config, systemClock, AbortSignal.timeout(timeoutMs));
    terminal.out(json ? JSON.stringify(roots, null, 2) : render(roots, terminal.paint));
    return roots.some(({ kind }) => kind === 'failed') ? exitCodes.inconclusive : exitCodes.ok;
  },
};

function render(roots: readonly RefreshedRoot[], paint: Paint): string {
  if (roots.length === 0) return 'trust.sigstore has no root';
  return roots
    .map((root) => `${paint('bold', printable(root.name))}: ${told(root, paint)}`)
    .join('\n');
}

function told(root: RefreshedRoot, paint: Paint): string {
  if (root.kind === 'failed') return paint('red', printable(root.because));
  if (root.kind === 'file') return `${printable(root.from)}, a file, is refreshed by its owner`;
  return `${paint('green', 'refreshed')} from ${printable(root.from)}, ends ${root.expiresAt.toISOString()}`;
}
