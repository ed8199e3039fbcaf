import type { BundleRole, KeyReport, KeyWish } from '../compose/airgap-init.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command, CommandOption, GivenOptions } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { Paint } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

// Those of TUF; its own list is behind what is loaded when it is needed.
const roles = ['root', 'targets', 'snapshot', 'timestamp'] as const satisfies readonly BundleRole[];

const keyOptions: readonly CommandOption[] = roles.map((role) => ({
  name: `${role}-keys`,
  value: 'URIS',
  does: `keys for ${role} in place of a new one: file:PATH or public:PATH, by commas`,
}));

const thresholdOptions: readonly CommandOption[] = roles.map((role) => ({
  name: `${role}-threshold`,
  value: 'N',
  does: `how many of the ${role} keys must sign; 1 unless told`,
}));

export const airgapInit: Command = {
  name: 'airgap init',
  summary: 'makes the keys of a stream of bundles, and the root that vouches for them',
  operands: '',
  description: [
    'Makes a key for each role of TUF in a new folder, and 1.root.json, which lists them and names',
    'the stream. A site without a network pins that file, or any later one; --rotate makes the next',
    'one, signed by the old and the new root keys, and each bundle carries all of them. Keys are',
    'Ed25519 in files, or those that you name: paths in URIs are relative to --out, an encrypted key',
    'takes ?passphrase-env=NAME or ?passphrase-file=PATH, and public:PATH stands for a key whose',
    'owner signs elsewhere. Where signatures are missing the root is a draft: its owners sign it by',
    '--sign, in copies of the folder. Nothing that is there is ever written over. Keep root keys',
    'offline: exports need only the other three.',
  ].join('\n'),
  options: [
    { name: 'out', value: 'PATH', does: 'the folder of the keys; needed' },
    { name: 'rotate', value: 'ROLES', does: 'new keys for these roles, by commas, in a new root' },
    { name: 'renew', does: 'a new root of the same keys, which ends later' },
    { name: 'sign', value: 'URIS', does: 'sign the draft of a root with these root keys' },
    { name: 'days', value: 'N', does: 'how long the root lasts; 730 unless told' },
    ...keyOptions,
    ...thresholdOptions,
  ],
  examples: [
    { line: 'assay airgap init --out keys/', does: 'once; then move keys/root-1.pem to a safe' },
    {
      line: 'assay airgap init --out keys/ --rotate snapshot,timestamp',
      does: 'the host that exports was broken into',
    },
    {
      line: 'assay airgap init --out keys/ --root-keys public:alice.pub,public:bob.pub --root-threshold 2',
      does: 'a root that needs two people, each with a key of their own',
    },
    {
      line: "assay airgap init --out keys/ --sign 'file:/media/alice/root.pem?passphrase-env=PASS'",
      does: "Alice's signature under the draft",
    },
  ],
  run: async ({ operands, options, json, terminal }) => {
    exactly(operands);
    const wish = readWish(options);
    // Loaded when they are needed: `assay help` should not wait for them.
    const { changeKeys } = await import('../compose/airgap-init.ts');
    const report = await untilStopped((signal) => changeKeys(wish, systemClock, signal));
    terminal.out(json ? JSON.stringify(report, null, 2) : renderReport(report, terminal.paint));
    return report.state === 'in-force' ? exitCodes.ok : exitCodes.inconclusive;
  },
};

function readWish(options: GivenOptions): KeyWish {
  const { out } = options;
  if (typeof out !== 'string') throw new UsageError('--out PATH is missing');
  const given = ['rotate', 'renew', 'sign'].filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new UsageError(`--${given[0]} and --${given[1]} exclude each other`);
  const uris = roles.flatMap((role) => {
    const list = options[`${role}-keys`];
    return typeof list === 'string' ? [[role, listOf(list, `--${role}-keys`)] as const] : [];
  });
  const thresholds = roles.flatMap((role) => {
    const text = options[`${role}-threshold`];
    return text === undefined ? [] : [[role, readCount(text, `${role}-threshold`, 32)] as const];
  });
  return {
    folder: out,
    what: readWhat(options),
    uris: Object.fromEntries(uris),
    thresholds: Object.fromEntries(thresholds),
    days: readCount(options['days'] ?? '730', 'days', 36_500),
  };
}

function readWhat({ rotate, renew, sign }: GivenOptions): KeyWish['what'] {
  if (typeof sign === 'string') return { kind: 'sign', uris: listOf(sign, '--sign') };
  if (renew !== undefined) return { kind: 'rotate', roles: [] };
  if (typeof rotate !== 'string') return { kind: 'init' };
  const named = listOf(rotate, '--rotate').map((name) => {
    const role = roles.find((each) => each === name);
    if (role === undefined) throw new UsageError(`--rotate takes ${roles.join(', ')}`);
    return role;
  });
  return { kind: 'rotate', roles: named };
}

function listOf(text: string, option: string): readonly string[] {
  const list = text.split(',').map((item) => item.trim());
  if (list.includes('')) throw new UsageError(`${option} has an empty name in its list`);
  return list;
}

function readCount(text: string | true, option: string, max: number): number {
  const count = typeof text === 'string' && /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw new UsageError(`--${option} takes a number from 1 to ${max}`);
}

function renderReport(report: KeyReport, paint: Paint): string {
  const { stream, version, expires, state, file, missing } = report;
  const isReady = state === 'in-force';
  const title = isReady
    ? paint('green', `root ${version} is in force`)
    : `root ${version} is a draft`;
  return [
    `${title}: ${file}`,
    `stream ${stream}, until ${expires.toISOString().slice(0, 10)}`,
    ...roles.map((role) => {
      const { threshold, keys } = report.roles[role];
      const ids = keys.map((id) => id.slice(0, 16)).join(', ');
      return `${role.padEnd(9)}  ${threshold} of ${keys.length}: ${ids}`;
    }),
    missing === undefined ? nextStep(version) : `${missing}; sign it with --sign`,
  ].join('\n');
}

function nextStep(version: number): string {
  return version === 1
    ? 'carry it to the other side by another way than the bundles, and pin it there'
    : 'the next bundle carries it to the other side';
}
