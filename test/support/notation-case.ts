import { readCertificate } from '../../src/crypto/certificate.ts';
import type { Certificate } from '../../src/crypto/x509.ts';
import type { ExaminationContext } from '../../src/formats/signature-format.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { noPlugins } from '../../src/plugins/plugins.ts';
import { unaskedRevocation } from './unasked-revocation.ts';
import type { TrustMaterial } from '../../src/trust/trust-material.ts';
import type {
  NotationIdentity,
  NotationRequirement,
} from '../../src/verdict/identity-requirement.ts';
import type { Reason } from '../../src/verdict/reason.ts';
import { readHere } from './read-here.ts';
import type { Chain, ChainOptions } from './test-ca.ts';
import type { NotationOverrides } from './sign-notation.ts';

/** What stands in the trust stores, as DER by name. */
export type TestStores = Readonly<Record<string, readonly Uint8Array[]>>;

export interface CaseOptions {
  readonly of: Descriptor;
  readonly chain: Chain;
  readonly requirement?: Partial<NotationRequirement>;
  /** The chain's root in `ca:acme` unless told. */
  readonly stores?: TestStores;
  readonly now?: string;
}

export interface TestCase {
  readonly subject: Descriptor;
  readonly requirement: NotationIdentity;
  readonly context: ExaminationContext;
}

export const enforcementOf = {
  strict: {
    authenticity: 'enforce',
    authenticTimestamp: 'enforce',
    expiry: 'enforce',
    revocation: 'enforce',
  },
  permissive: {
    authenticity: 'enforce',
    authenticTimestamp: 'log',
    expiry: 'log',
    revocation: 'log',
  },
  audit: { authenticity: 'log', authenticTimestamp: 'log', expiry: 'log', revocation: 'log' },
  skip: { authenticity: 'skip', authenticTimestamp: 'skip', expiry: 'skip', revocation: 'skip' },
} as const satisfies Record<NotationRequirement['level'], NotationRequirement['enforcement']>;

/** A policy that trusts the chain's root under level strict, at the tests' fixed time. */
export function makeCase(options: CaseOptions): TestCase {
  const { chain, now = '2030-01-01T00:00:00Z', requirement = {} } = options;
  const { level = 'strict' } = requirement;
  const stores = options.stores ?? { 'ca:acme': [chain.root.der] };
  return {
    subject: options.of,
    requirement: {
      family: 'notation',
      name: 'acme',
      notation: {
        level,
        enforcement: enforcementOf[level],
        verifyTimestamp: 'always',
        revocationTime: 'now',
        trustStores: ['ca:acme'],
        trustedIdentities: '*',
        ...requirement,
      },
    },
    context: { ...makeContext(makeTrust(stores)), now: new Date(now) },
  };
}

/** The rest of a context that asks nobody. */
export function makeContext(trust: TrustMaterial): Omit<ExaminationContext, 'now'> {
  const { signal } = new AbortController();
  return {
    trust,
    scope: 'ghcr.io/acme/app',
    aliases: [],
    signal,
    revocation: unaskedRevocation,
    plugins: noPlugins,
    readApart: readHere,
  };
}

export function makeTrust(stores: TestStores): TrustMaterial {
  const anchors = new Map<string, readonly Certificate[]>(
    Object.entries(stores).map(([name, ders]) => [name, ders.map(readCertificate)]),
  );
  return {
    notationStore: (name) => anchors.get(name),
    notationStoreDigest: (name) => `digest of ${name}`,
    sigstoreRoot: () => undefined,
    sigstoreRootDigest: () => 'no root',
  };
}

/** One thing that is wrong with a signature, and the check that must see it. */
export interface Mutation {
  readonly chain?: ChainOptions;
  readonly sign?: NotationOverrides | ((chain: Chain) => NotationOverrides);
  readonly requirement?: Partial<NotationRequirement>;
  readonly stores?: (chain: Chain) => TestStores;
  readonly now?: string;
  /** Of the content that is asked for; the signature is over the right one. */
  readonly subject?: Partial<Descriptor>;
  readonly at: string;
  readonly because: RegExp;
  /** `signature-invalid` unless told. */
  readonly reason?: Reason;
  /** `failed` unless told. */
  readonly outcome?: 'failed' | 'inconclusive';
}

export type Mutations = Readonly<Record<string, Mutation>>;
