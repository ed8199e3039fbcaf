import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { renderTrustList } from './render-trust-list.ts';

/** Plugins are asked what they are. */
const timeoutMs = 60_000;

export const trustList: Command = {
  name: 'trust list',
  summary: 'the trust material in use, and how long it lasts',
  operands: '',
  description: [
    'Prints every trust store with its anchors: who each is, its fingerprint, from when to when it is',
    'valid and how many days are left, and which identities of the trust policy use the store. Stores',
    'that the policy names and that are missing or empty, and those that nobody uses, are listed as',
    'well; so is each Sigstore root, with its age and its end, and each verification plugin that is',
    'allowed, with what it says of itself. Sigstore roots are not refreshed by it.',
    'Exits with 1 where something that the policy relies upon is missing or has ended, or a plugin',
    'can not be used; with 78 when the policy or the trust store does not load.',
  ].join('\n'),
  examples: [
    { line: 'assay trust list', does: 'what ends next?' },
    {
      line: "assay trust list --json | jq '.stores[].anchors[] | select(.daysLeft < 30)'",
      does: 'for a script',
    },
  ],
  run: async ({ operands, config: named, json, terminal }) => {
    exactly(operands);
    // Loaded when they are needed: `assay help` should not wait for them.
    const { loadConfig } = await import('../config/load.ts');
    const { listTrust } = await import('../compose/trust-list.ts');
    const config = await loadConfig(findConfig(named));
    const list = await listTrust(config, systemClock, AbortSignal.timeout(timeoutMs));
    terminal.out(json ? JSON.stringify(list, null, 2) : renderTrustList(list, terminal.paint));
    return list.problems.length === 0 ? exitCodes.ok : exitCodes.untrusted;
  },
};
