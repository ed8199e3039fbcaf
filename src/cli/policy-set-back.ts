import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { UsageError } from './usage-error.ts';

const maxWordsLength = 500;

export const policySetBack: Command = {
  name: 'policy set-back',
  summary: 'permits an older revision of the trust policy, on all replicas',
  operands: 'REVISION',
  description: [
    'Replicas refuse a trust policy whose `revision` is lower than one that was in force. This permits',
    'revisions from REVISION up to that one, until a higher one comes into force; `none` permits a',
    'policy without a revision too. It changes no policy: bring the older file to each replica, before',
    'or after. Once it was done, a REVISION between the two ends what is permitted below it. Works',
    'through the state that the configuration names, beside a live server.',
  ].join('\n'),
  options: [
    { name: 'reason', value: 'TEXT', does: 'why; needed' },
    { name: 'owner', value: 'WHO', does: 'who answers for it; needed' },
  ],
  examples: [
    {
      line: "assay policy set-back 6 --reason 'revision 7 denies too much' --owner sre@acme.example",
      does: 'back to 6, after 7 was in force',
    },
  ],
  run: async ({ operands, options, config, json, terminal }) => {
    const [text = ''] = exactly(operands, 'REVISION');
    const revision = readRevision(text);
    const reason = readWords('reason', options['reason']);
    const owner = readWords('owner', options['owner']);
    // Loaded when they are needed: `assay help` should not wait for them.
    const { loadConfig } = await import('../config/load.ts');
    const { setBackPolicy } = await import('../compose/policy-set-back.ts');
    const wish = { revision, reason, owner };
    const done = await setBackPolicy(await loadConfig(findConfig(config)), wish);
    const isNew = done !== undefined;
    const permitted = `permitted: ${describe(revision)} and newer, on every replica within 5 s`;
    const words = isNew ? permitted : `${describe(revision)} is permitted already`;
    terminal.out(json ? JSON.stringify({ revision: text, isNew }, null, 2) : words);
    return exitCodes.ok;
  },
};

/** Undefined for a policy without one. */
function readRevision(text: string): number | undefined {
  if (text === 'none') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError('REVISION is a whole number, or none');
}

function readWords(name: string, given: string | true | undefined): string {
  if (typeof given !== 'string') throw new UsageError(`--${name} is missing`);
  if (/^[^\p{Cc}]+$/u.test(given) && given.length <= maxWordsLength) return given;
  throw new UsageError(`--${name} takes one line of at most ${maxWordsLength} characters`);
}

function describe(revision: number | undefined): string {
  return revision === undefined ? 'a policy without a revision' : `revision ${revision}`;
}
