import type { ListedDenial } from '../compose/deny-access.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { accessOptions, targetOf, targetOptions, withDenyList } from './deny-access.ts';
import { exitCodes } from './exit-codes.ts';
import { printable } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export const denyAdd: Command = {
  name: 'deny add',
  summary: 'revokes a digest, a key, an identity or a repository, on all replicas, within 5 s',
  operands: '',
  description: [
    'Puts one thing on the deny list, which goes before every verdict, exemption and audit mode. A',
    'denied digest is not served, under any name, nor is what only it vouches for: the children and',
    'layers of a denied index. A denied key or identity vouches for nothing: what it has signed needs',
    'another signer. Answers under way are cut. Works through the state that the configuration names,',
    'beside a live server, or over the admin API of one replica. Digests and names are compared exactly.',
  ].join('\n'),
  options: [
    ...targetOptions,
    { name: 'reason', value: 'TEXT', does: 'why; needed' },
    { name: 'owner', value: 'WHO', does: 'who answers for it; needed' },
    { name: 'until', value: 'TIME', does: 'its end, such as 2030-01-31T00:00:00Z; else it stays' },
    ...accessOptions,
  ],
  examples: [
    {
      line: "assay deny add --digest sha256:… --reason 'CVE-2030-1' --owner sre@acme.example",
      does: 'an image, and what only it vouches for',
    },
    {
      line: 'assay deny add --key 3f1c… --reason leaked --owner sre@acme.example',
      does: 'all that only this key has signed',
    },
    {
      line: 'assay deny add --identity ci@acme.example --issuer https://accounts.example --reason leaked --owner sre',
      does: 'a Sigstore identity',
    },
  ],
  run: async ({ operands, options, config, json, terminal }) => {
    exactly(operands);
    const { reason, owner, until } = options as Readonly<Record<string, string>>;
    if (reason === undefined) throw new UsageError('--reason TEXT is missing');
    if (owner === undefined) throw new UsageError('--owner WHO is missing');
    const written = { ...targetOf(options), reason, owner, until };
    const added = await withDenyList({ config, options }, (access) => access.add(written));
    if ('problem' in added) throw new UsageError(added.problem);
    terminal.out(json ? JSON.stringify(added.wish, null, 2) : render(added.wish));
    return exitCodes.ok;
  },
};

function render({ id, what, until, epoch }: ListedDenial): string {
  const end = until === undefined ? '' : ` until ${until}`;
  return [
    `denied${end}: ${printable(what)}`,
    `entry ${id}, epoch ${epoch}; in force on every replica within 5 s`,
  ].join('\n');
}
