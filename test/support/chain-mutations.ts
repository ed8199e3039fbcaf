import type { Mutation, Mutations } from './notation-case.ts';
import { type Chain, type ChainOptions, makeChain } from './test-ca.ts';

const chainAt = { at: 'certificate-chain' } as const;
const leaf = (options: NonNullable<ChainOptions['leaf']>, because: RegExp): Mutation => ({
  ...chainAt,
  chain: { leaf: options },
  because,
});
const intermediate = (options: NonNullable<ChainOptions['leaf']>, because: RegExp): Mutation => ({
  ...chainAt,
  chain: { intermediate: { 0: options } },
  because,
});
const root = (options: NonNullable<ChainOptions['leaf']>, because: RegExp): Mutation => ({
  ...chainAt,
  chain: { root: options },
  because,
});
const certificates = (
  choose: (chain: Chain) => readonly Uint8Array[],
  because: RegExp,
): Mutation => ({
  ...chainAt,
  sign: (chain) => ({ certificates: choose(chain) }),
  because,
});

/** Every rule for the chain in an envelope. */
export const chainMutations: Mutations = {
  'an issuer that is no certificate': certificates(
    ({ ders: [first, , last] }) => [first, Buffer.from('x'), last ?? first],
    /DER/,
  ),
  'a chain without its root': certificates(({ ders }) => ders.slice(0, -1), /issued by another/),
  'a chain without its intermediate': certificates(
    ({ leaf: { der }, root }) => [der, root.der],
    /not its named issuer/,
  ),
  'a chain of a leaf alone': certificates(({ leaf: { der } }) => [der], /issued by another/),
  'a chain with its root twice': certificates(
    ({ ders, root }) => [...ders, root.der],
    /root.*it is self-signed/s,
  ),
  'a chain with a stranger at its end': certificates(
    ({ ders }) => [...ders, makeChain({ authority: 'stranger' }).root.der],
    /it is self-signed/,
  ),
  'a chain whose issuers are in the wrong order': certificates(
    ({ ders: [first, second, third] }) => [first, third ?? first, second ?? first],
    /not its named issuer/,
  ),
  'a leaf that its named issuer did not sign': leaf({ signedBy: 'stranger' }, /did not sign it/),
  'an intermediate that the root did not sign': intermediate(
    { signedBy: 'stranger' },
    /intermediate.*did not sign it/,
  ),
  'a root that is not signed by its own key': root(
    { signedBy: 'stranger' },
    /root.*not signed by its own key/,
  ),
  'a leaf that names another issuer': leaf({ issuer: 'CN=other' }, /not its named issuer/),
  'a root that names another issuer': root({ issuer: 'CN=other' }, /issued by another/),
  'a leaf signed with SHA-1': leaf({ hash: 'sha1' }, /not accepted/),
  'an intermediate signed with SHA-1': intermediate({ hash: 'sha1' }, /not accepted/),
  'a root signed with SHA-1': root({ hash: 'sha1' }, /not accepted/),

  'a leaf that is a CA': leaf({ basicConstraints: { isCa: true } }, /signing.*it is a CA/),
  'a leaf without key usage': leaf({ keyUsage: 'absent' }, /has no key usage/),
  'a leaf whose key usage is not critical': leaf(
    { keyUsage: { bits: ['digitalSignature'], critical: false } },
    /key usage is not critical/,
  ),
  'a leaf that may not sign': leaf(
    { keyUsage: { bits: ['contentCommitment'] } },
    /lacks digitalSignature/,
  ),
  ...Object.fromEntries(
    (
      [
        'keyEncipherment',
        'dataEncipherment',
        'keyAgreement',
        'keyCertSign',
        'cRLSign',
        'encipherOnly',
        'decipherOnly',
      ] as const
    ).map((bit) => [
      `a leaf with the key usage ${bit}`,
      leaf({ keyUsage: { bits: ['digitalSignature', bit] } }, new RegExp(`key usage has ${bit}`)),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({
      anyExtendedKeyUsage: '2.5.29.37.0',
      serverAuth: '1.3.6.1.5.5.7.3.1',
      clientAuth: '1.3.6.1.5.5.7.3.2',
      emailProtection: '1.3.6.1.5.5.7.3.4',
      timeStamping: '1.3.6.1.5.5.7.3.8',
      OCSPSigning: '1.3.6.1.5.5.7.3.9',
    }).map(([name, oid]) => [
      `a leaf with the extended key usage ${name}`,
      leaf(
        { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3', oid] } },
        new RegExp(`extended key usage has ${name}`),
      ),
    ]),
  ),

  'an intermediate without basic constraints': intermediate(
    { basicConstraints: 'absent' },
    /intermediate.*no basic constraints/,
  ),
  'an intermediate whose basic constraints are not critical': intermediate(
    { basicConstraints: { isCa: true, critical: false } },
    /basic constraints are not critical/,
  ),
  'an intermediate that is no CA': intermediate(
    { basicConstraints: { isCa: false } },
    /it is no CA/,
  ),
  'an intermediate without key usage': intermediate({ keyUsage: 'absent' }, /no key usage/),
  'an intermediate whose key usage is not critical': intermediate(
    { keyUsage: { bits: ['keyCertSign'], critical: false } },
    /key usage is not critical/,
  ),
  'an intermediate that may not sign certificates': intermediate(
    { keyUsage: { bits: ['cRLSign'] } },
    /lacks keyCertSign/,
  ),
  'a root without basic constraints': root({ basicConstraints: 'absent' }, /root.*no basic/),
  'a root that is no CA': root({ basicConstraints: { isCa: false } }, /root.*it is no CA/),
  'a root that may not sign certificates': root(
    { keyUsage: { bits: ['cRLSign'] } },
    /root.*lacks keyCertSign/,
  ),
  'a root that allows fewer CAs below it': root(
    { basicConstraints: { isCa: true, pathLength: 0 } },
    /path length is 0 and 1 CAs are below/,
  ),
  'an intermediate that allows fewer CAs below it': {
    ...chainAt,
    chain: {
      intermediates: 2,
      intermediate: { 1: { basicConstraints: { isCa: true, pathLength: 0 } } },
    },
    because: /path length is 0 and 1 CAs are below/,
  },
  'one certificate that is a CA': {
    ...chainAt,
    chain: { selfSigned: true, leaf: { basicConstraints: { isCa: true } } },
    because: /it is a CA/,
  },
  'one certificate that another key signed': {
    ...chainAt,
    chain: { selfSigned: true, leaf: { signedBy: 'stranger' } },
    because: /not signed by its own key/,
  },
};
