import { soonDays } from '../compose/anchors.ts';
import type { PluginListed } from '../compose/plugin-list.ts';
import type { AnchorListed, StoreListed, TrustList } from '../compose/trust-list.ts';
import { describeCount } from './quantities.ts';
import { sigstoreRootBranch } from './render-sigstore-roots.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { type Branch, renderTree } from './tree.ts';

/** Each kind of trust material under its heading. To add one: a member of the list, and its line. */
const sections: readonly ((list: TrustList, paint: Paint) => Branch)[] = [
  ({ stores }, paint) => section('Trust stores', stores, (store) => storeBranch(store, paint)),
  ({ sigstoreRoots }, paint) =>
    section('Sigstore roots', sigstoreRoots, (root) => sigstoreRootBranch(root, paint)),
  ({ plugins }, paint) =>
    section('Verification plugins', plugins, (plugin) => pluginBranch(plugin, paint)),
];

export function renderTrustList(list: TrustList, paint: Paint): string {
  const { policy, problems } = list;
  return [
    `${printable(policy.file)}, digest ${policy.digest.slice(0, 12)}`,
    ...sections.flatMap((render) => ['', ...renderTree(render(list, paint))]),
    ...(problems.length === 0 ? [] : ['']),
    ...problems.map((problem) => `${paint('red', 'problem:')} ${printable(problem)}`),
  ].join('\n');
}

function section<T>(heading: string, items: readonly T[], toBranch: (item: T) => Branch): Branch {
  const text = items.length === 0 ? `${heading}: none` : heading;
  return { text, branches: items.map(toBranch) };
}

function storeBranch({ store, folder, usedBy, anchors }: StoreListed, paint: Paint): Branch {
  const users =
    usedBy.length === 0
      ? paint('yellow', 'nobody uses it')
      : `used by ${usedBy.map(printable).join(', ')}`;
  const empty = { text: paint('red', `missing or empty: ${printable(folder)}`) };
  return {
    text: `${paint('bold', printable(store))}, ${users}`,
    branches: anchors.length === 0 ? [empty] : anchors.map((anchor) => anchorBranch(anchor, paint)),
  };
}

function anchorBranch(anchor: AnchorListed, paint: Paint): Branch {
  const { subject, fingerprint, notBefore, notAfter } = anchor;
  const validity = `${dateOf(notBefore)} to ${dateOf(notAfter)}`;
  const { colour, text } = stateOf(anchor);
  return {
    text: `${printable(subject)}: ${paint(colour, text)} (${validity})`,
    branches: [{ text: paint('dim', `sha256 ${fingerprint}`) }],
  };
}

function stateOf({ state, daysLeft, notBefore }: AnchorListed): {
  readonly colour: Colour;
  readonly text: string;
} {
  if (state === 'ended') {
    return { colour: 'red', text: `ended ${describeCount(-daysLeft, 'day')} ago` };
  }
  const left = `${describeCount(daysLeft, 'day')} left`;
  if (state === 'not-yet-valid') {
    return { colour: 'yellow', text: `not valid before ${notBefore.toISOString()}, ${left}` };
  }
  return { colour: daysLeft < soonDays ? 'yellow' : 'green', text: left };
}

function pluginBranch(plugin: PluginListed, paint: Paint): Branch {
  const { name, path, sha256, version = '', capabilities = [], because } = plugin;
  const state =
    because === undefined
      ? `${paint('green', printable(version))}, ${capabilities.map(printable).join(', ')}`
      : paint('red', printable(because));
  return {
    text: `${paint('bold', printable(name))}: ${state}`,
    branches: [{ text: paint('dim', `${printable(path)} sha256 ${sha256}`) }],
  };
}

function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
