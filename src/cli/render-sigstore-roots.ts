import type { SigstoreRootListed } from '../compose/sigstore-list.ts';
import { describeCount } from './quantities.ts';
import { type Paint, printable } from './terminal.ts';
import type { Branch } from './tree.ts';

const kinds: Readonly<Record<SigstoreRootListed['kind'], string>> = {
  file: 'a file',
  tuf: 'by TUF',
  seed: 'as it came with this version',
  none: 'never fetched',
};

/** One Sigstore root in `assay trust list`. */
export function sigstoreRootBranch(listed: SigstoreRootListed, paint: Paint): Branch {
  const { name, usedBy, kind, from, digest, leftOut } = listed;
  const users =
    usedBy.length === 0
      ? paint('yellow', 'nobody uses it')
      : `used by ${usedBy.map(printable).join(', ')}`;
  const notes = leftOut.map((text) => ({
    text: `${paint('yellow', 'left out:')} ${printable(text)}`,
  }));
  const origin =
    from === undefined ? [] : [{ text: `${printable(from)}, ${stateOf(listed, paint)}` }];
  const contents = digest === undefined ? [] : [{ text: contentsOf(listed) }];
  const hash = digest === undefined ? [] : [{ text: paint('dim', `sha256 ${digest}`) }];
  return {
    text: `${paint('bold', printable(name))}, ${paint(kind === 'none' ? 'red' : 'green', kinds[kind])}, ${users}`,
    branches: [...origin, ...contents, ...hash, ...notes],
  };
}

function stateOf({ asOf, expiresAt, hasEnded }: SigstoreRootListed, paint: Paint): string {
  const since = asOf === undefined ? '' : `as of ${asOf.toISOString()}, `;
  if (expiresAt === undefined) return `${since}without an end`;
  const end = expiresAt.toISOString();
  return `${since}${hasEnded ? paint('red', `ended ${end}`) : `ends ${end}`}`;
}

function contentsOf(listed: SigstoreRootListed): string {
  const counts = [
    describeCount(listed.logs, 'log'),
    describeCount(listed.certificateLogs, 'certificate log'),
    describeCount(listed.certificateAuthorities, 'certificate chain'),
    describeCount(listed.timestampAuthorities, 'timestamp chain'),
  ];
  return counts.join(', ');
}
