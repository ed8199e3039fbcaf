import type { DenyListing, ListedDenial } from '../compose/deny-access.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { accessOptions, withDenyList } from './deny-access.ts';
import { exitCodes } from './exit-codes.ts';
import { describeCount } from './quantities.ts';
import { type Paint, printable } from './terminal.ts';

export const denyList: Command = {
  name: 'deny list',
  summary: 'what is denied, since when, why and by whom',
  operands: '',
  description: [
    'Prints the entries of the deny list that are in force, and its epoch, which grows with every',
    'change: replicas that show the same epoch (metric assay_deny_list_epoch) deny the same.',
  ].join('\n'),
  options: accessOptions,
  examples: [
    { line: 'assay deny list', does: 'what is revoked here?' },
    { line: 'assay deny list --json', does: 'for a script' },
  ],
  run: async ({ operands, options, config, json, terminal }) => {
    exactly(operands);
    const listing = await withDenyList({ config, options }, (access) => access.list());
    terminal.out(json ? JSON.stringify(listing, null, 2) : render(listing, terminal.paint));
    return exitCodes.ok;
  },
};

function render({ epoch, entries }: DenyListing, paint: Paint): string {
  const count = describeCount(entries.length, 'entry', 'entries');
  return [`${count} in force, epoch ${epoch}`, ...entries.map((each) => line(each, paint))].join(
    '\n',
  );
}

function line({ id, what, reason, owner, addedAt, until }: ListedDenial, paint: Paint): string {
  const end = until === undefined ? '' : `, until ${printable(until)}`;
  const why = `${printable(reason)} (${printable(owner)}, ${printable(addedAt)}${end})`;
  return `${paint('dim', printable(id))} ${paint('bold', printable(what))}: ${why}`;
}
