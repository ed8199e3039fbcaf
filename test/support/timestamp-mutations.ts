import * as asn1 from './der-encoder.ts';
import type { Mutation, Mutations, TestStores } from './notation-case.ts';
import { oids, type TimestampOverrides, timestampToken } from './sign-timestamp.ts';
import { makeAuthority, timeStamping } from './test-authority.ts';
import { type Chain, type ChainOptions, makeChain } from './test-ca.ts';

/** A policy that always asks for a timestamp, and the stores that it names. */
export const timestamped = {
  requirement: { trustStores: ['ca:acme', 'tsa:clock'] },
  stores: ({ root }: Chain): TestStores => ({
    'ca:acme': [root.der],
    'tsa:clock': [makeAuthority().root.der],
  }),
} as const satisfies Pick<Mutation, 'requirement' | 'stores'>;

/** The same, but for certificates that have expired alone. */
export const timestampedAfterExpiry = {
  ...timestamped,
  requirement: { ...timestamped.requirement, verifyTimestamp: 'afterCertExpiry' },
} as const satisfies Pick<Mutation, 'requirement' | 'stores'>;

/** A signature with a timestamp over it that keeps every rule but the overridden. */
export const withTimestamp = (overrides: TimestampOverrides = {}): Pick<Mutation, 'sign'> => ({
  sign: { timestamp: (signature) => timestampToken(signature, overrides) },
});

const expired = { leaf: { notAfter: '2029-12-31T23:59:59Z' } } as const;

const broken = (
  overrides: TimestampOverrides,
  because: RegExp,
  rest: Partial<Mutation> = {},
): Mutation => ({
  ...timestamped,
  ...withTimestamp(overrides),
  at: 'authentic-timestamp',
  reason: 'timestamp-unproven',
  because,
  ...rest,
});
const authority = (options: ChainOptions, because: RegExp, rest?: Partial<Mutation>): Mutation =>
  broken({ authority: makeAuthority(options) }, because, {
    // Its root has its own certificate where that is what is changed.
    stores: ({ root }) => ({
      'ca:acme': [root.der],
      'tsa:clock': [makeAuthority(options).root.der],
    }),
    ...rest,
  });
const outside = (chain: ChainOptions, because: RegExp): Mutation =>
  broken({}, because, { chain, reason: 'certificate-expired' });
const otherKey = makeAuthority({ authority: 'stranger' });
const unknown = { outcome: 'inconclusive', reason: 'revocation-unknown' } as const;

/** Every rule for the timestamp of a signature, where the policy asks for one. */
export const timestampMutations: Mutations = {
  'a timestamp that is none': broken({}, /not a timestamp token: .*not BER/, {
    sign: { timestamp: () => Uint8Array.of(0, 0, 0) },
  }),
  'a timestamp of another signature': broken({}, /its timestamp is of something else/, {
    sign: { timestamp: () => timestampToken(Buffer.from('another signature')) },
  }),
  'a timestamp of a weak imprint': broken({ imprintHash: 'sha1' }, /imprint's hash is 1.3.14/),
  'a timestamp that is signed by another key': broken(
    { signWith: otherKey.privateKey },
    /proves nothing: its signature does not verify/,
  ),
  'a timestamp without certificates': broken(
    { certificates: 'absent' },
    /proves nothing: its signer's certificate is not there/,
  ),
  'a timestamp that does not name its certificate': broken(
    { attributes: { [oids.signingCertificateV2]: undefined } },
    /no signing-certificate-v2/,
  ),
  'a timestamp with two signatures': broken({ signers: (one) => [one, one] }, /2 signatures/),
  'a timestamp by a stranger': broken({ authority: otherKey }, /no trusted authority/),
  'a timestamp by a stranger, behind a good certificate': broken(
    { authority: otherKey, certificates: [makeAuthority().leaf.der, ...otherKey.ders] },
    /no trusted authority/,
  ),
  'a timestamp by the signer itself': broken(
    { authority: makeChain() },
    /extended key usage is not critical/,
    { stores: ({ root }) => ({ 'ca:acme': [root.der], 'tsa:clock': [root.der] }) },
  ),
  'a timestamp under a root that is trusted for signers alone': broken({}, /no trusted authority/, {
    requirement: { trustStores: ['ca:acme', 'ca:clock', 'tsa:clock'] },
    stores: ({ root }) => ({
      'ca:acme': [root.der],
      'ca:clock': [makeAuthority().root.der],
      'tsa:clock': [otherKey.root.der],
    }),
  }),
  'a timestamp by a key for other purposes too': authority(
    { leaf: { extendedKeyUsage: { purposes: [timeStamping, '1.2.3'], critical: true } } },
    /not timeStamping alone/,
  ),
  'a timestamp by an authority that had expired': authority(
    { leaf: { notAfter: '2025-12-31T23:59:59Z' } },
    /not at 2026-01-01T00:00:00.000Z/,
  ),
  'a timestamp by an authority whose status nobody knows': authority(
    { leaf: { ocspUrls: ['http://clock.example/'] } },
    /of the timestamp's authority: .*clock.example/,
    unknown,
  ),
  'a timestamp by an authority whose issuer nobody knows of, with revocation not enforced':
    authority(
      { intermediate: { 0: { crlUrls: ['http://clock.example/'] } } },
      /of the timestamp's authority: .*clock.example/,
      {
        ...unknown,
        requirement: {
          ...timestamped.requirement,
          enforcement: {
            authenticity: 'enforce',
            authenticTimestamp: 'enforce',
            expiry: 'enforce',
            revocation: 'skip',
          },
        },
      },
    ),
  'a timestamp a second after a leaf expired': outside(
    { leaf: { notAfter: '2025-12-31T23:59:59Z' } },
    /CN=acme release.*not valid in all of the time of the timestamp, 2025-12-31T23:59:59.000Z to 2026-01-01T00:00:01.000Z/,
  ),
  'a timestamp whose accuracy reaches beyond a leaf': outside(
    { leaf: { notAfter: '2026-01-01T00:00:00Z' } },
    /CN=acme release.*not valid in all/,
  ),
  'a timestamp whose accuracy reaches before an intermediate': outside(
    { intermediate: { 0: { notBefore: '2026-01-01T00:00:00Z' } } },
    /CN=acme intermediate.*not valid in all/,
  ),
  'a timestamp before a root': outside(
    { root: { notBefore: '2026-06-01T00:00:00Z' } },
    /CN=acme root.*not valid in all/,
  ),
  'a broken timestamp where a certificate has expired': broken(
    { signWith: otherKey.privateKey },
    /does not verify/,
    { ...timestampedAfterExpiry, chain: expired, reason: 'certificate-expired' },
  ),
  'a timestamp where the policy asks for none': broken({}, /no trusted time at which it was/, {
    chain: expired,
    requirement: { trustStores: ['ca:acme'] },
    reason: 'certificate-expired',
  }),
  'a timestamp with an unknown critical extension': broken(
    {
      info: (parts) => [
        ...parts,
        asn1.der(
          0xa1,
          asn1.sequence(asn1.oid('1.2.3'), asn1.boolean(true), asn1.octets(asn1.nothing())),
        ),
      ],
    },
    /extension 1.2.3 is critical/,
  ),
};
