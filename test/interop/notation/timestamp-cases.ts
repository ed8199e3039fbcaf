import * as asn1 from '../../support/der-encoder.ts';
import type { NotationFormat } from '../../support/sign-notation.ts';
import {
  essAttribute,
  hashAlgorithm,
  issuerAndSerial,
  oids,
  type TimestampOverrides,
  timestampToken,
} from '../../support/sign-timestamp.ts';
import { makeAuthority, timeStamping } from '../../support/test-authority.ts';
import { type ChainOptions, makeChain } from '../../support/test-ca.ts';
import {
  type Case,
  type CaseOptions,
  formats,
  makeCase,
  signature,
  type Statement,
} from './case.ts';

interface Row {
  readonly title: string;
  readonly token: TimestampOverrides | ((signature: Uint8Array) => Uint8Array);
  readonly notation: Case['notation'];
  /** Of the signer. */
  readonly chain?: ChainOptions;
  /** Of the timestamp authority; its root is trusted. */
  readonly authority?: ChainOptions;
  readonly difference?: NonNullable<CaseOptions['difference']>;
  readonly policy?: Statement;
}

/** The certificate ended before the test runs, and after the time in the tokens. */
const expired: ChainOptions = { leaf: { notAfter: '2026-03-01T00:00:00Z' } };
const refused = /timestamp/i;
const always: Statement = { trustStores: ['ca:acme', 'tsa:clock'] };
const afterExpiry: Statement = {
  ...always,
  signatureVerification: { level: 'strict', verifyTimestamp: 'afterCertExpiry' },
};
const nowhere = 'http://127.0.0.1:9/';
const stranger = makeAuthority({ authority: 'stranger' });

const row = (
  title: string,
  token: Row['token'],
  notation: Row['notation'],
  rest: Omit<Row, 'title' | 'token' | 'notation'> = {},
): Row => ({ title, token, notation, ...rest });
const by = (title: string, authority: ChainOptions, notation: Row['notation']): Row =>
  row(`by an authority ${title}`, {}, notation, { authority });
const strict = (title: string, token: TimestampOverrides): Row =>
  row(title, token, 'accepts', { difference: 'strict-timestamp' });

const times: readonly Row[] = [
  row('that is good', {}, 'accepts'),
  row('that is good, by an expired certificate', {}, 'accepts', { chain: expired }),
  row('asked for after expiry, by an expired certificate', {}, 'accepts', {
    chain: expired,
    policy: afterExpiry,
  }),
  row('asked for after expiry, by an expired root', {}, 'accepts', {
    chain: { root: { notAfter: '2026-03-01T00:00:00Z' } },
    policy: afterExpiry,
  }),
  row('that is broken and not asked for yet', { signWith: stranger.privateKey }, 'accepts', {
    policy: afterExpiry,
  }),
  row('that nobody asks for, by an expired certificate', {}, /expired/, {
    chain: expired,
    policy: { trustStores: ['ca:acme'] },
  }),
  row('after a certificate expired', { genTime: '20260301000001Z' }, refused, { chain: expired }),
  row('whose accuracy ends with a certificate', { genTime: '20260228235959Z' }, 'accepts', {
    chain: expired,
  }),
  row('whose accuracy ends behind a certificate', { genTime: '20260301000000Z' }, refused, {
    chain: expired,
  }),
  row('whose fraction ends behind a certificate', { genTime: '20260228235959.1Z' }, refused, {
    chain: expired,
  }),
  row(
    'without an accuracy, in the last second of a certificate',
    { genTime: '20260301000000Z', accuracy: 'absent' },
    'accepts',
    { chain: expired },
  ),
  row(
    'whose policy promises a second, in the last second of a certificate',
    { genTime: '20260301000000Z', accuracy: 'absent', policy: '0.4.0.2023.1.1' },
    refused,
    { chain: expired },
  ),
  row('whose accuracy begins before a certificate', { genTime: '20200101000000Z' }, refused),
  row('whose accuracy begins with a certificate', { genTime: '20200101000001Z' }, 'accepts'),
];

const tokens: readonly Row[] = [
  row('in BER', { encoding: 'ber' }, /indefinite length/, { difference: 'timestamp-ber' }),
  row('with an imprint by SHA-384', { imprintHash: 'sha384' }, 'accepts'),
  row('with an imprint by SHA-512', { imprintHash: 'sha512' }, 'accepts'),
  row('with an imprint by SHA-1', { imprintHash: 'sha1' }, refused),
  row('signed over SHA-384', { hash: 'sha384' }, 'accepts'),
  row('signed over SHA-1', { hash: 'sha1' }, refused),
  row('of something else', () => timestampToken(Buffer.from('something else')), refused),
  row('that is none', () => Uint8Array.of(0x30, 0), refused),
  row('signed by another key', { signWith: stranger.privateKey }, refused),
  row('without certificates', { certificates: 'absent' }, refused),
  row('without signatures', { signers: () => [] }, refused),
  row('of version 2', { info: (parts) => parts.with(0, asn1.integer(2)) }, refused),
  row('of another content', { contentType: '1.2.840.113549.1.7.1' }, refused),
  row('in a container of version 1', { data: (parts) => parts.with(0, asn1.integer(1)) }, refused),
  row(
    'whose digest is another',
    { attributes: { [oids.messageDigest]: [asn1.octets(Buffer.alloc(32))] } },
    refused,
  ),
  row(
    'that signs another type',
    { attributes: { [oids.contentType]: [asn1.oid('1.2.3')] } },
    refused,
  ),
  row('that does not sign its type', { attributes: { [oids.contentType]: undefined } }, refused),
  row(
    'that does not name its certificate',
    { attributes: { [oids.signingCertificateV2]: undefined } },
    refused,
  ),
  row(
    'that names its certificate in the old attribute',
    {
      attributes: {
        [oids.signingCertificateV2]: undefined,
        [oids.signingCertificate]: [essAttribute(makeAuthority().leaf)],
      },
    },
    refused,
  ),
  row('that names another certificate by hash', { ess: { of: stranger.leaf.der } }, refused),
  row('that names another certificate by number', { ess: { name: stranger.leaf } }, refused),
  row('that names its certificate by hash alone', { ess: { name: 'absent' } }, 'accepts'),
  row('that names its certificate by SHA-512', { ess: { hash: 'sha512' } }, 'accepts'),
  row('that names its certificate by SHA-1', { ess: { hash: 'sha1' } }, refused),
  row(
    'with a claimed time at which it was valid',
    { attributes: { [oids.signingTime]: [asn1.time('2026-01-01T00:00:00Z')] } },
    'accepts',
  ),
  row(
    'with a claimed time at which it was not valid',
    { attributes: { [oids.signingTime]: [asn1.time('2019-01-01T00:00:00Z')] } },
    refused,
  ),
  row(
    'with a nonce and more',
    {
      info: (parts) => [...parts, asn1.boolean(true), asn1.integer(99)],
    },
    'accepts',
  ),
  strict('with two signatures of the authority', { signers: (one) => [one, one] }),
  strict('whose unsigned name is of another signer', {
    signer: (parts) => parts.with(1, issuerAndSerial(stranger.leaf)),
  }),
  strict('with a critical extension', {
    info: (parts) => [
      ...parts,
      asn1.der(
        0xa1,
        asn1.sequence(asn1.oid('1.2.3'), asn1.boolean(true), asn1.octets(asn1.nothing())),
      ),
    ],
  }),
  strict('whose accuracy has 1000 milliseconds', {
    accuracy: asn1.sequence(asn1.der(0x80, Uint8Array.of(3, 0xe8))),
  }),
  strict('with a third part in its imprint', {
    info: (parts) =>
      parts.with(2, Buffer.concat([asn1.der(0x30, imprintOf(parts), asn1.nothing())])),
  }),
];

/** The content of the imprint, which is the third part. */
function imprintOf(parts: readonly Uint8Array[]): Uint8Array {
  return (parts[2] ?? hashAlgorithm('sha256')).subarray(2);
}

const eku = (purposes: readonly string[], critical = true): ChainOptions => ({
  leaf: { extendedKeyUsage: { purposes, critical } },
});

const authorities: readonly Row[] = [
  by('with an RSA key of 2048 bits', { algorithm: 'PS256' }, 'accepts'),
  by('with an RSA key of 3072 bits', { algorithm: 'PS384' }, 'accepts'),
  by('with an EC key of 384 bits', { algorithm: 'ES384' }, 'accepts'),
  by('without intermediates', { intermediates: 0 }, 'accepts'),
  by('with two intermediates', { intermediates: 2 }, 'accepts'),
  by('that expired since', { leaf: { notAfter: '2026-03-01T00:00:00Z' } }, 'accepts'),
  by('that had expired', { leaf: { notAfter: '2025-03-01T00:00:00Z' } }, refused),
  by('whose root had expired', { root: { notAfter: '2025-03-01T00:00:00Z' } }, refused),
  by('that was not valid yet', { leaf: { notBefore: '2026-01-01T00:00:01Z' } }, refused),
  by('without extended key usage', { leaf: { extendedKeyUsage: 'absent' } }, refused),
  by('whose extended key usage is not critical', eku([timeStamping], false), refused),
  by('for signing code', eku(['1.3.6.1.5.5.7.3.3']), refused),
  by('for two purposes', eku([timeStamping, '1.3.6.1.5.5.7.3.3']), refused),
  by('for an unknown purpose too', eku([timeStamping, '1.2.3']), refused),
  by('without key usage', { leaf: { keyUsage: 'absent' } }, refused),
  by(
    'whose key usage is not critical',
    { leaf: { keyUsage: { bits: ['digitalSignature'], critical: false } } },
    'accepts',
  ),
  by(
    'that may encipher keys',
    { leaf: { keyUsage: { bits: ['digitalSignature', 'keyEncipherment'] } } },
    refused,
  ),
  by('that is a CA', { leaf: { basicConstraints: { isCa: true } } }, refused),
  by('with a small RSA key', { leaf: { key: 'RSA-1024' } }, refused),
  by('signed with SHA-1', { leaf: { hash: 'sha1' } }, refused),
  by('signed by another key', { leaf: { signedBy: 'stranger' } }, refused),
  by(
    'whose issuer is for other purposes',
    { intermediate: { 0: { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3'] } } } },
    refused,
  ),
  by(
    'whose issuer is no CA',
    { intermediate: { 0: { basicConstraints: { isCa: false } } } },
    refused,
  ),
  by(
    'whose root allows no CA below it',
    { root: { basicConstraints: { isCa: true, pathLength: 0 } } },
    refused,
  ),
  by('that names a silent OCSP responder', { leaf: { ocspUrls: [nowhere] } }, refused),
  row('by an authority that names a silent responder, with revocation skipped', {}, refused, {
    authority: { leaf: { ocspUrls: [nowhere] } },
    policy: {
      ...always,
      signatureVerification: { level: 'strict', override: { revocation: 'skip' } },
    },
  }),
  row('that is broken, at level permissive', { signWith: stranger.privateKey }, 'accepts', {
    policy: { ...always, signatureVerification: { level: 'permissive' } },
  }),
  row('by a stranger', { authority: stranger }, refused),
  row(
    'by a stranger, behind a good certificate',
    { authority: stranger, certificates: [makeAuthority().leaf.der, ...stranger.ders] },
    refused,
  ),
  row(
    'by an authority, behind the certificate of a stranger',
    { certificates: [stranger.leaf.der, ...makeAuthority().ders] },
    'accepts',
  ),
  row(
    'under a root that is not in the token',
    { certificates: makeAuthority().ders.slice(0, 2) },
    'accepts',
  ),
  row('without its intermediate', { certificates: makeAuthority().ders.slice(0, 1) }, refused),
];

/** RFC 3161 timestamps of good signatures, which a trust store for timestamps asks for. */
export const timestampCases: readonly Case[] = [...times, ...tokens, ...authorities].flatMap(
  (each, index) => {
    // What is accepted is so in both encodings; the encodings take turns at the rest.
    const both = each.notation === 'accepts';
    return both
      ? formats.map((format) => toCase(each, format))
      : [toCase(each, formats[index % 2] ?? 'jws')];
  },
);

function toCase(each: Row, format: NotationFormat): Case {
  const { title, token, notation, difference, policy = always } = each;
  const chain = makeChain(each.chain);
  const authority = makeAuthority(each.authority);
  const timestamp =
    typeof token === 'function'
      ? token
      : (signed: Uint8Array) => timestampToken(signed, { authority, ...token });
  return makeCase(
    `a ${format} signature with a timestamp ${title}`,
    [signature(format, { chain, timestamp })],
    notation,
    {
      policy,
      trustStore: {
        'ca/acme/root.pem': chain.root.pem,
        'tsa/clock/root.pem': authority.root.pem,
      },
      ...(difference !== undefined && { difference }),
    },
  );
}
