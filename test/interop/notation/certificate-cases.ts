import type { KeyUsageBit } from '../../../src/crypto/x509.ts';
import * as asn1 from '../../support/der-encoder.ts';
import type { Case } from './case.ts';
import { chainCase, type ChainRow as Row } from './chain-case.ts';

const forbiddenBits: readonly KeyUsageBit[] = [
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

const purposes = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  any: '2.5.29.37.0',
} as const;

const { codeSigning, any, ...forbiddenPurposes } = purposes;

const leaves: readonly Row[] = [
  ['without key usage', { leaf: { keyUsage: 'absent' } }, /key usage/],
  [
    'whose key usage is not critical',
    { leaf: { keyUsage: { bits: ['digitalSignature'], critical: false } } },
    /critical/,
  ],
  [
    'whose key usage lacks digitalSignature',
    { leaf: { keyUsage: { bits: ['contentCommitment'] } } },
    /Digital Signature/,
  ],
  [
    'whose key usage adds contentCommitment',
    { leaf: { keyUsage: { bits: ['digitalSignature', 'contentCommitment'] } } },
    'accepts',
  ],
  ...forbiddenBits.map((bit): Row => [
    `whose key usage adds ${bit}`,
    { leaf: { keyUsage: { bits: ['digitalSignature', bit] } } },
    /Digital Signature" only/,
  ]),
  ['that says it is no CA', { leaf: { basicConstraints: { isCa: false } } }, 'accepts'],
  ['that is a CA', { leaf: { basicConstraints: { isCa: true } } }, /ca field must be set to false/],
  ['without extended key usage', { leaf: { extendedKeyUsage: 'absent' } }, 'accepts'],
  [
    'whose extended key usage is critical',
    { leaf: { extendedKeyUsage: { purposes: [codeSigning], critical: true } } },
    'accepts',
  ],
  [
    'for any purpose',
    { leaf: { extendedKeyUsage: { purposes: [any] } } },
    'accepts',
    { difference: 'any-extended-key-usage' },
  ],
  [
    'for a purpose nobody knows',
    { leaf: { extendedKeyUsage: { purposes: ['1.3.6.1.4.1.99999.1'] } } },
    'accepts',
  ],
  ...Object.entries(forbiddenPurposes).map(([name, oid]): Row => [
    `for ${name} too`,
    { leaf: { extendedKeyUsage: { purposes: [codeSigning, oid] } } },
    /extended key usage must not contain/,
  ]),
  [
    'with a critical extension nobody knows',
    {
      leaf: { extensions: [{ oid: '1.3.6.1.4.1.99999.2', critical: true, value: asn1.utf8('x') }] },
    },
    'accepts',
  ],
  ['signed with SHA-1', { leaf: { hash: 'sha1' } }, /SHA1/i],
  ['signed with SHA-384', { leaf: { hash: 'sha384' } }, 'accepts'],
  ["signed by another key than its issuer's", { leaf: { signedBy: 'stranger' } }, /issued by/],
  [
    'that names another issuer',
    { leaf: { issuer: 'C=US, ST=WA, O=acme, CN=somebody else' } },
    /issued by/,
  ],
  ['that has expired', { leaf: { notAfter: '2026-03-01T00:00:00Z' } }, /expired at/],
  ['that is not yet valid', { leaf: { notBefore: '2048-01-01T00:00:00Z' } }, /will be valid from/],
  [
    'with an RSA key of 1024 bits',
    { leaf: { key: 'RSA-1024' }, algorithm: 'PS256' },
    /not supported|less than/,
  ],
  ['with an Ed25519 key', { leaf: { key: 'Ed25519' } }, /not supported/],
  ['with a secp256k1 key', { leaf: { key: 'EC-secp256k1' } }, /integrity validation failed/],
];

const issuers: readonly Row[] = [
  [
    'whose intermediate says nothing of being a CA',
    { intermediate: { 0: { basicConstraints: 'absent' } } },
    /issued by|not a CA|basic constraints/i,
  ],
  [
    'whose intermediate says it is no CA',
    { intermediate: { 0: { basicConstraints: { isCa: false } } } },
    /issued by|basic constraints/i,
  ],
  [
    'whose intermediate is a CA, but not critically',
    { intermediate: { 0: { basicConstraints: { isCa: true, critical: false } } } },
    'accepts',
    { difference: 'basic-constraints-critical' },
  ],
  [
    'whose root is a CA, but not critically',
    { root: { basicConstraints: { isCa: true, critical: false } } },
    'accepts',
    { difference: 'basic-constraints-critical' },
  ],
  [
    'whose root is no CA',
    { root: { basicConstraints: { isCa: false } } },
    /integrity validation failed/,
  ],
  [
    'whose root may have no CA below it, but has one',
    { root: { basicConstraints: { isCa: true, pathLength: 0 } } },
    /path length/,
  ],
  [
    'whose root may have one CA below it, and has one',
    { root: { basicConstraints: { isCa: true, pathLength: 1 } } },
    'accepts',
  ],
  [
    'whose lower CA may have none below it, and has none',
    { intermediate: { 0: { basicConstraints: { isCa: true, pathLength: 0 } } } },
    'accepts',
  ],
  [
    'whose upper CA may have none below it, but has one',
    { intermediates: 2, intermediate: { 1: { basicConstraints: { isCa: true, pathLength: 0 } } } },
    /path length/,
  ],
  [
    'whose intermediate has no key usage',
    { intermediate: { 0: { keyUsage: 'absent' } } },
    /key usage extension must be present/,
  ],
  [
    'whose intermediate has a key usage that is not critical',
    { intermediate: { 0: { keyUsage: { bits: ['keyCertSign'], critical: false } } } },
    /critical/,
  ],
  [
    'whose intermediate may not sign certificates',
    { intermediate: { 0: { keyUsage: { bits: ['cRLSign'] } } } },
    /integrity validation failed/,
  ],
  [
    'whose root has no key usage',
    { root: { keyUsage: 'absent' } },
    /key usage extension must be present/,
  ],
  [
    'whose root may not sign certificates',
    { root: { keyUsage: { bits: ['cRLSign'] } } },
    /integrity validation failed/,
  ],
  ['whose intermediate is signed with SHA-1', { intermediate: { 0: { hash: 'sha1' } } }, /SHA1/i],
  ['whose root is signed with SHA-1', { root: { hash: 'sha1' } }, /SHA1/i],
  [
    'whose intermediate has expired',
    { intermediate: { 0: { notAfter: '2026-03-01T00:00:00Z' } } },
    /expired at/,
  ],
  ['whose root has expired', { root: { notAfter: '2026-03-01T00:00:00Z' } }, /expired at/],
  ['whose root was signed by another key', { root: { signedBy: 'stranger' } }, /root certificate/],
  [
    'whose root names another issuer',
    { root: { issuer: 'C=US, ST=WA, O=acme, CN=above' } },
    /root certificate/,
  ],
  [
    'whose intermediate outlives its root',
    { root: { notAfter: '2040-01-01T00:00:00Z' } },
    'accepts',
  ],
];

const rows: readonly Row[] = [
  ...leaves.map(([title, ...rest]): Row => [`by a leaf certificate ${title}`, ...rest]),
  ...issuers.map(([title, ...rest]): Row => [`by a chain ${title}`, ...rest]),
];

/** One rule of the certificate requirements broken. */
export const certificateCases: readonly Case[] = rows.map(chainCase);
