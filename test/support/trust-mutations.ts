import { enforcementOf, type Mutation, type Mutations } from './notation-case.ts';
import { type Chain, type ChainOptions, makeChain } from './test-ca.ts';

const authority = 'notary.x509.signingAuthority' as const;
const untrusted = { reason: 'no-trusted-signer' } as const;
const acme = new Map([
  ['C', 'US'],
  ['ST', 'WA'],
  ['O', 'acme'],
]);
const identity = (
  subject: NonNullable<ChainOptions['leaf']>['subject'],
  because: RegExp,
  listed: readonly ReadonlyMap<string, string>[] = [acme],
): Mutation => ({
  ...untrusted,
  at: 'trusted-identity',
  requirement: { trustedIdentities: listed },
  ...(subject !== undefined && { chain: { leaf: { subject } } }),
  because,
});

const authenticityMutations: Mutations = {
  'a root that is in no store': {
    ...untrusted,
    stores: () => ({ 'ca:acme': [makeChain({ authority: 'stranger' }).root.der] }),
    at: 'trusted-store',
    because: /no certificate of the chain is in ca:acme/,
  },
  'a store that is empty': {
    ...untrusted,
    stores: () => ({ 'ca:acme': [] }),
    at: 'trusted-store',
    because: /no certificate of the chain is in ca:acme/,
  },
  'a root that is in a store that the policy does not name': {
    ...untrusted,
    stores: ({ root: { der } }) => ({ 'ca:acme': [], 'ca:other': [der] }),
    at: 'trusted-store',
    because: /no certificate of the chain is in ca:acme/,
  },
  'a root of the same name and another key': {
    ...untrusted,
    stores: () => ({ 'ca:acme': [makeChain({ root: { key: 'EC-384' } }).root.der] }),
    at: 'trusted-store',
    because: /no certificate of the chain is in ca:acme/,
  },
  'a store that does not exist': {
    ...untrusted,
    stores: () => ({}),
    at: 'trusted-store',
    outcome: 'inconclusive',
    because: /there is no trust store ca:acme/,
  },
  'a ca store for a signing authority': {
    ...untrusted,
    sign: { scheme: authority },
    at: 'trusted-store',
    because: /names no trust store of type signingAuthority/,
  },
  'a signingAuthority store for notary.x509': {
    ...untrusted,
    requirement: { trustStores: ['signingAuthority:acme'] },
    stores: ({ root: { der } }) => ({ 'signingAuthority:acme': [der] }),
    at: 'trusted-store',
    because: /names no trust store of type ca/,
  },
  'a tsa store for notary.x509': {
    ...untrusted,
    requirement: { trustStores: ['tsa:acme'] },
    stores: ({ root: { der } }) => ({ 'tsa:acme': [der] }),
    at: 'trusted-store',
    because: /names no trust store of type ca/,
  },
  'no store at all': {
    ...untrusted,
    requirement: { trustStores: [] },
    at: 'trusted-store',
    because: /names no trust store/,
  },

  'no listed identity': identity(undefined, /is not listed/, []),
  'a listed name without attributes': identity(undefined, /is not listed/, [new Map()]),
  'another organisation': identity('C=US, ST=WA, O=other', /O=other.* is not listed/),
  'an organisation in another case': identity('C=US, ST=WA, O=Acme', /is not listed/),
  'an organisation with a space behind it': identity(
    [[['C', 'US']], [['ST', 'WA']], [['O', 'acme ']]],
    /is not listed/,
  ),
  'a subject without a listed attribute': identity('C=US, O=acme', /is not listed/),
  'the listed value in another attribute': identity('C=US, ST=WA, OU=acme', /is not listed/),
  'an empty subject': identity([], /is not listed/),
  'an attribute type twice': identity('C=US, ST=WA, O=acme, O=acme', /twice/),
  'another attribute type twice': identity('C=US, ST=WA, O=acme, OU=a, OU=b', /twice/),
  'several attributes in one part': identity('C=US, ST=WA, O=acme+CN=a', /with another/),
  'an attribute that no policy can list': identity('C=US, ST=WA, O=acme, E=a@b', /none can list/),
};

const x509Valid = { notBefore: '2029-01-01T00:00:00Z', notAfter: '2031-01-01T00:00:00Z' };
const timestamp = { at: 'authentic-timestamp', reason: 'certificate-expired' } as const;
const tsa = {
  requirement: { trustStores: ['ca:acme', 'tsa:acme'] },
  stores: ({ root: { der } }: Chain) => ({ 'ca:acme': [der], 'tsa:acme': [der] }),
} as const;
const signedByAuthority = {
  requirement: { trustStores: ['signingAuthority:acme'] },
  stores: ({ root: { der } }: Chain) => ({ 'signingAuthority:acme': [der] }),
} as const;

const timeMutations: Mutations = {
  'an expiry now': {
    sign: { expiry: '2030-01-01T00:00:00Z' },
    at: 'expiry',
    reason: 'signature-expired',
    because: /expired at 2030-01-01/,
  },
  'an expiry in the past': {
    sign: { expiry: '2029-12-31T23:59:59Z' },
    at: 'expiry',
    reason: 'signature-expired',
    because: /expired at 2029-12-31/,
  },
  'a leaf that has expired': {
    ...timestamp,
    chain: { leaf: { notAfter: '2029-12-31T23:59:59Z' } },
    because: /not valid now: certificate "CN=acme release/,
  },
  'a leaf that is not valid yet': {
    ...timestamp,
    chain: { leaf: { notBefore: '2030-01-01T00:00:01Z' } },
    because: /not valid now: certificate "CN=acme release/,
  },
  'an intermediate that has expired': {
    ...timestamp,
    chain: { intermediate: { 0: { notAfter: '2029-12-31T23:59:59Z' } } },
    because: /not valid now: certificate "CN=acme intermediate/,
  },
  'a root that has expired': {
    ...timestamp,
    chain: { root: { notAfter: '2029-12-31T23:59:59Z' } },
    because: /not valid now: certificate "CN=acme root/,
  },
  'a leaf that was valid at the signing time that the signer claims': {
    ...timestamp,
    chain: { leaf: { notBefore: '2025-01-01T00:00:00Z', notAfter: '2027-01-01T00:00:00Z' } },
    because: /no trusted time/,
  },
  'a leaf that was not valid at the authentic signing time': {
    ...timestamp,
    ...signedByAuthority,
    chain: { leaf: x509Valid },
    sign: { scheme: authority, signingTime: '2028-12-31T23:59:59Z' },
    because: /CN=acme release.*not valid at the authentic signing time 2028/,
  },
  'an intermediate that was not valid at the authentic signing time': {
    ...timestamp,
    ...signedByAuthority,
    chain: { intermediate: { 0: x509Valid } },
    sign: { scheme: authority, signingTime: '2031-01-01T00:00:01Z' },
    because: /CN=acme intermediate.*not valid at the authentic/,
  },
  'a root that was not valid at the authentic signing time': {
    ...timestamp,
    ...signedByAuthority,
    chain: { root: x509Valid },
    sign: { scheme: authority, signingTime: '2028-12-31T23:59:59Z' },
    because: /CN=acme root.*not valid at the authentic/,
  },
  'no timestamp where the policy always asks for one': {
    ...tsa,
    at: 'authentic-timestamp',
    reason: 'timestamp-unproven',
    because: /asks for a timestamp.*there is none/,
  },
  'no timestamp where a certificate has expired': {
    ...timestamp,
    ...tsa,
    requirement: { ...tsa.requirement, verifyTimestamp: 'afterCertExpiry' },
    chain: { leaf: { notAfter: '2029-12-31T23:59:59Z' } },
    because: /asks for a timestamp.*there is none/,
  },
  'a leaf that is not valid yet, with a timestamp asked for only after expiry': {
    ...timestamp,
    ...tsa,
    requirement: { ...tsa.requirement, verifyTimestamp: 'afterCertExpiry' },
    chain: { leaf: { notBefore: '2030-01-01T00:00:01Z' } },
    because: /not valid now/,
  },
};

const revocationMutations: Mutations = {
  'a leaf that names an OCSP responder': {
    chain: { leaf: { ocspUrls: ['http://ocsp.example/'] } },
    at: 'revocation',
    outcome: 'inconclusive',
    reason: 'revocation-unknown',
    because: /CN=acme release.*"http:\/\/ocsp.example\/"/,
  },
  'an intermediate that names a list of revoked certificates': {
    chain: { intermediate: { 0: { crlUrls: ['http://crl.example/'] } } },
    at: 'revocation',
    outcome: 'inconclusive',
    reason: 'revocation-unknown',
    because: /CN=acme intermediate.*"http:\/\/crl.example\/"/,
  },
};

const levelMutations: Mutations = {
  'the level audit': {
    requirement: { level: 'audit' },
    at: 'level-vouches',
    reason: 'level-vouches-for-nothing',
    because: /level audit/,
  },
  'the level audit, whatever it is overridden to': {
    requirement: { level: 'audit', enforcement: enforcementOf.strict },
    at: 'level-vouches',
    reason: 'level-vouches-for-nothing',
    because: /level audit/,
  },
  'an override that only logs authenticity': {
    requirement: { enforcement: { ...enforcementOf.strict, authenticity: 'log' } },
    at: 'level-vouches',
    reason: 'level-vouches-for-nothing',
    because: /overrides authenticity/,
  },
};

/** What can be wrong with a sound signature: whose it is, when it is from, what the policy says. */
export const trustMutations: Mutations = {
  ...authenticityMutations,
  ...timeMutations,
  ...revocationMutations,
  ...levelMutations,
};
