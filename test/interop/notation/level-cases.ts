import type { NotationOverrides } from '../../support/sign-notation.ts';
import { type ChainOptions, makeChain } from '../../support/test-ca.ts';
import { type Case, makeCase, policyOf, signature } from './case.ts';
import type { DifferenceId } from './difference.ts';

const expired: NotationOverrides = { expiry: '2026-02-01T00:00:00Z' };
const oldLeaf: ChainOptions = { leaf: { notAfter: '2026-03-01T00:00:00Z' } };
const flipped: NotationOverrides = {
  signature: (bytes) => bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
};

interface Fault {
  readonly what: string;
  readonly overrides: NotationOverrides;
  readonly refusal: RegExp;
}

const faults = {
  none: { what: 'a good signature', overrides: {}, refusal: /never/ },
  integrity: { what: 'a broken signature', overrides: flipped, refusal: /integrity/ },
  authenticity: {
    what: "a stranger's signature",
    overrides: { chain: makeChain({ authority: 'stranger' }) },
    refusal: /authenticity validation failed/,
  },
  expiry: { what: 'an expired signature', overrides: expired, refusal: /expired/ },
  authenticTimestamp: {
    what: 'a signature by an expired certificate',
    overrides: { chain: makeChain(oldLeaf) },
    refusal: /expired at/,
  },
} as const satisfies Record<string, Fault>;

type FaultName = keyof typeof faults;

type Row = readonly [
  level: string,
  override: Readonly<Record<string, string>>,
  fault: FaultName,
  notation: 'accepts' | 'refuses',
  difference?: DifferenceId,
];

const rows: readonly Row[] = [
  ['strict', {}, 'none', 'accepts'],
  ['strict', {}, 'integrity', 'refuses'],
  ['strict', {}, 'authenticity', 'refuses'],
  ['strict', {}, 'expiry', 'refuses'],
  ['strict', {}, 'authenticTimestamp', 'refuses'],
  ['strict', { expiry: 'log' }, 'expiry', 'accepts'],
  ['strict', { expiry: 'log' }, 'authenticTimestamp', 'refuses'],
  ['strict', { authenticTimestamp: 'log' }, 'authenticTimestamp', 'accepts'],
  ['strict', { authenticTimestamp: 'log' }, 'expiry', 'refuses'],
  ['strict', { authenticTimestamp: 'log', expiry: 'log' }, 'integrity', 'refuses'],
  ['strict', { authenticity: 'log' }, 'none', 'accepts', 'level-vouches'],
  ['strict', { authenticity: 'log' }, 'authenticity', 'accepts', 'level-vouches'],
  ['strict', { authenticity: 'log' }, 'expiry', 'refuses'],
  ['permissive', {}, 'none', 'accepts'],
  ['permissive', {}, 'integrity', 'refuses'],
  ['permissive', {}, 'authenticity', 'refuses'],
  ['permissive', {}, 'expiry', 'accepts'],
  ['permissive', {}, 'authenticTimestamp', 'accepts'],
  ['permissive', { expiry: 'enforce' }, 'expiry', 'refuses'],
  ['permissive', { expiry: 'enforce' }, 'authenticTimestamp', 'accepts'],
  ['permissive', { authenticTimestamp: 'enforce' }, 'authenticTimestamp', 'refuses'],
  ['permissive', { authenticity: 'log' }, 'authenticity', 'accepts', 'level-vouches'],
  ['audit', {}, 'none', 'accepts', 'level-vouches'],
  ['audit', {}, 'integrity', 'refuses'],
  ['audit', {}, 'authenticity', 'accepts', 'level-vouches'],
  ['audit', {}, 'expiry', 'accepts', 'level-vouches'],
  ['audit', {}, 'authenticTimestamp', 'accepts', 'level-vouches'],
  ['audit', { authenticity: 'enforce' }, 'none', 'accepts', 'level-vouches'],
  ['audit', { authenticity: 'enforce' }, 'authenticity', 'refuses'],
  ['audit', { expiry: 'enforce' }, 'expiry', 'refuses'],
];

function describe(level: string, override: Readonly<Record<string, string>>): string {
  const changes = Object.entries(override).map(([check, action]) => `${check} ${action}`);
  return changes.length === 0 ? level : `${level} but ${changes.join(' and ')}`;
}

const skip = { signatureVerification: { level: 'skip' }, trustStores: [], trustedIdentities: [] };

/** Each level and override against each kind of fault. */
export const levelCases: readonly Case[] = [
  ...rows.map(([level, override, name, notation, difference]) => {
    const fault: Fault = faults[name];
    return makeCase(
      `${fault.what} at level ${describe(level, override)}`,
      [signature('cose', fault.overrides)],
      notation === 'accepts' ? 'accepts' : fault.refusal,
      {
        policy: { signatureVerification: { level, override } },
        ...(difference !== undefined && { difference }),
      },
    );
  }),
  makeCase('an unsigned image at level skip', [], 'accepts', {
    policy: (scope) => policyOf({ ...skip, registryScopes: [scope] }),
    difference: 'level-vouches',
  }),
  makeCase('an unsigned image at level skip for every repository', [], 'accepts', {
    policy: skip,
    difference: 'skip-for-every-repository',
  }),
];
