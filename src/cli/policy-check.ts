import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { printable } from './terminal.ts';

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'loads the trust policy and says what is wrong or doubtful in it',
  operands: '[FILE]',
  description: [
    'Loads the trust policy of the configuration, or FILE in its place, as `assay serve` would, and',
    'prints every problem with its line and column. What loads but is probably not meant (rules that',
    'never match, exemptions that have ended, trust stores that are empty) is printed as a finding.',
    'Exits with 78 when the policy does not load.',
  ].join('\n'),
  examples: [
    { line: 'assay policy check', does: 'the policy in force' },
    { line: 'assay policy check candidate.yaml', does: 'a change before it is made' },
  ],
  run: async ({ operands, config: named, json, terminal }) => {
    const [file] = operands.length === 0 ? [] : exactly(operands, 'FILE');
    const { loadConfig } = await import('../config/load.ts');
    const { checkPolicy } = await import('../compose/policy-check.ts');
    const checked = await checkPolicy(await loadConfig(findConfig(named)), file);
    const { digest, rules, findings } = checked;
    if (json) {
      terminal.out(JSON.stringify(checked, null, 2));
      return exitCodes.ok;
    }
    const summary = `loads, ${rules} ${rules === 1 ? 'rule' : 'rules'}, digest ${digest.slice(0, 12)}`;
    terminal.out(`${printable(checked.file)}: ${summary}`);
    for (const finding of findings) terminal.out(printable(finding));
    return exitCodes.ok;
  },
};
