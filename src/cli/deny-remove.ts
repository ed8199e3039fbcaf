import type { DenyAccess, ListedDenial } from '../compose/deny-access.ts';
import { printable } from './terminal.ts';
import type { Command, GivenOptions } from './command.ts';
import { accessOptions, targetOf, targetOptions, withDenyList } from './deny-access.ts';
import { exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

export const denyRemove: Command = {
  name: 'deny remove',
  summary: 'takes entries off the deny list, on all replicas',
  operands: '[ID…]',
  description: [
    'Takes back the entries with these ids, which `assay deny list` shows, or all entries of one thing,',
    'named as for `assay deny add`. Nothing becomes trusted by it: what is no longer denied needs a',
    'verdict like everything else. Exits with 1 where there is no such entry.',
  ].join('\n'),
  options: [...targetOptions, ...accessOptions],
  examples: [
    { line: 'assay deny remove 1f0c8a52b7e94d03', does: 'one entry' },
    { line: 'assay deny remove --digest sha256:…', does: 'all entries of this digest' },
  ],
  run: async ({ operands, options, config, json, terminal }) => {
    const removed = await withDenyList({ config, options }, async (access) => {
      const ids = await idsOf(operands, options, access);
      const all: ListedDenial[] = [];
      for (const id of ids) {
        const one = await access.remove(id);
        if (one === undefined) terminal.err(`assay: no entry ${printable(id)} is in force`);
        else all.push(one);
      }
      return { removed: all, missing: ids.length === 0 || all.length < ids.length };
    });
    if (json) terminal.out(JSON.stringify({ removed: removed.removed }, null, 2));
    else
      for (const { id, what } of removed.removed) terminal.out(`removed ${id}: ${printable(what)}`);
    if (!removed.missing) return exitCodes.ok;
    if (removed.removed.length === 0) terminal.err('assay: nothing was removed');
    return exitCodes.untrusted;
  },
};

async function idsOf(
  operands: readonly string[],
  options: GivenOptions,
  access: DenyAccess,
): Promise<readonly string[]> {
  const target = targetOf(options);
  const isNamed = Object.values(target).some((text) => text !== undefined);
  if (isNamed === operands.length > 0) {
    throw new UsageError('name entries by their ids, or one thing by its option');
  }
  if (!isNamed) return operands;
  const { describeWritten } = await import('../compose/deny-access.ts');
  const described = describeWritten(target);
  if ('problem' in described) throw new UsageError(described.problem);
  const { entries } = await access.list();
  return entries.filter(({ what }) => what === described.wish).map(({ id }) => id);
}
