import type { PolicyCheck } from '../compose/policy-check.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command, Invocation } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig, findConfigIfAny } from './find-config.ts';
import { type Paint, printable } from './terminal.ts';

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'loads the trust policy and says what is wrong or doubtful in it',
  operands: '[FILE]',
  description: [
    'Loads the trust policy of the configuration, or FILE in its place, as `assay serve` would, and',
    'prints every problem with its line and column. What loads but is probably not meant (rules that',
    'never match, exemptions that have ended) is printed as a finding.',
    'Exits with 78 when the policy does not load.',
  ].join('\n'),
  examples: [
    { line: 'assay policy check', does: 'the policy in force' },
    { line: 'assay policy check candidate.yaml', does: 'a change before it is made' },
  ],
  run: async (invocation) => {
    const checked = await check(invocation);
    const { terminal, json } = invocation;
    terminal.out(json ? JSON.stringify(checked, null, 2) : renderCheck(checked, terminal.paint));
    return exitCodes.ok;
  },
};

async function check({ operands, config: named }: Invocation): Promise<PolicyCheck> {
  const [file] = operands.length === 0 ? [] : exactly(operands, 'FILE');
  const { loadConfig } = await import('../config/load.ts');
  const { checkPolicy } = await import('../compose/policy-check.ts');
  if (file === undefined) {
    const config = await loadConfig(findConfig(named));
    return await checkPolicy(config.trustPolicy, config, systemClock);
  }
  // A file can be read without a configuration, only not held against one.
  const found = findConfigIfAny(named);
  const config = found === undefined ? undefined : await loadConfig(found);
  return await checkPolicy(file, config, systemClock);
}

function renderCheck(
  { file, digest, revision, rules, findings }: PolicyCheck,
  paint: Paint,
): string {
  const count = `${rules} ${rules === 1 ? 'rule' : 'rules'}`;
  const said = revision === undefined ? '' : `revision ${revision}, `;
  return [
    `${printable(file)}: loads, ${said}${count}, digest ${digest.slice(0, 12)}`,
    ...findings.map(
      ({ where, message }) => `${paint('yellow', printable(where))}: ${printable(message)}`,
    ),
  ].join('\n');
}
