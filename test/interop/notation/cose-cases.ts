import { indefinite, raw, tagged, wide } from '../../support/cbor-encoder.ts';
import type { CoseOverrides } from '../../support/sign-cose.ts';
import type { NotationOverrides } from '../../support/sign-notation.ts';
import { makeChain } from '../../support/test-ca.ts';
import { type Case, type CaseOptions, makeCase, signature } from './case.ts';

type Row = readonly [
  title: string,
  overrides: CoseOverrides,
  notation: Case['notation'],
  options?: CaseOptions & { readonly also?: NotationOverrides },
];

const scheme = 'io.cncf.notary.signingScheme';
const signingTime = 'io.cncf.notary.signingTime';

const coseRows: readonly Row[] = [
  [
    'with an authentic signing time under notary.x509',
    {},
    'accepts',
    {
      also: {
        members: { 'io.cncf.notary.authenticSigningTime': new Date('2026-01-01T00:00:00Z') },
      },
      difference: 'time-of-other-scheme',
    },
  ],
  [
    'with a signing time under the signing authority scheme',
    {},
    'accepts',
    {
      also: {
        scheme: 'notary.x509.signingAuthority',
        members: { [signingTime]: new Date('2026-01-01T00:00:00Z') },
      },
      difference: 'time-of-other-scheme',
    },
  ],
  [
    'whose crit lists the scheme twice',
    {},
    'accepts',
    { also: { crit: [scheme, scheme] }, difference: 'crit-list' },
  ],
  [
    'whose crit lists the signing time',
    {},
    'accepts',
    { also: { crit: [scheme, signingTime] }, difference: 'crit-list' },
  ],
  ['without a tag', { tag: 'absent' }, /integrity validation failed/],
  ['with the tag of COSE_Sign', { tag: 98 }, /integrity validation failed/],
  ['with the tag of COSE_Mac0', { tag: 17 }, /integrity validation failed/],
  [
    'tagged twice',
    { envelopeBytes: (bytes) => Buffer.concat([Uint8Array.of(0xd2), bytes]) },
    /integrity validation failed/,
  ],
  [
    'with the tag written in two bytes',
    { envelopeBytes: (bytes) => Buffer.concat([Uint8Array.of(0xd8, 18), bytes.subarray(1)]) },
    /integrity validation failed/,
  ],
  [
    'with a byte after it',
    { envelopeBytes: (bytes) => Buffer.concat([bytes, Uint8Array.of(0)]) },
    /integrity validation failed/,
  ],
  [
    'cut by a byte',
    { envelopeBytes: (bytes) => bytes.subarray(0, -1) },
    /integrity validation failed/,
  ],
  ['of three parts', { parts: (parts) => parts.slice(0, 3) }, /integrity validation failed/],
  ['of five parts', { parts: (parts) => [...parts, 0] }, /integrity validation failed/],
  [
    'that is a list of indefinite length',
    {
      envelopeBytes: (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 1),
          Uint8Array.of(0x9f),
          bytes.subarray(2),
          Uint8Array.of(0xff),
        ]),
    },
    /integrity validation failed/,
  ],
  ['with a detached payload', { payloadInEnvelope: () => null }, /integrity validation failed/],
  [
    'whose payload is text',
    { payloadInEnvelope: (payload) => Buffer.from(payload).toString() },
    /integrity validation failed/,
  ],
  [
    'whose payload was changed after signing',
    { payloadInEnvelope: () => Buffer.from('{}') },
    /integrity/,
  ],
  [
    'whose payload comes in chunks',
    { payloadInEnvelope: (payload) => indefinite(payload) },
    /integrity validation failed/,
  ],
  [
    'whose payload states its length in four bytes',
    { payloadInEnvelope: (payload) => wide(payload, 4) },
    'accepts',
    { difference: 'strict-cbor' },
  ],
  [
    'whose protected header is a map, not bytes',
    { protectedInEnvelope: () => new Map([[1, -7]]) },
    /integrity validation failed/,
  ],
  [
    'whose protected header is empty',
    { protectedBytes: () => new Uint8Array() },
    /integrity validation failed/,
  ],
  [
    'whose protected header is a list',
    { protectedBytes: () => Uint8Array.of(0x80) },
    /integrity validation failed/,
  ],
  [
    'whose protected header was changed after signing',
    {
      protectedInEnvelope: (bytes) =>
        bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)),
    },
    /integrity validation failed/,
  ],
  [
    'whose protected header has a label twice',
    { protectedPairs: (pairs) => [...pairs, [3, 'application/vnd.cncf.notary.payload.v1+json']] },
    /duplicate/,
  ],
  [
    'whose protected header is in another order',
    { protectedPairs: (pairs) => pairs.toReversed() },
    'accepts',
  ],
  [
    'whose algorithm is written in two bytes',
    {
      protectedPairs: (pairs) =>
        pairs.map(([label, value]) => [label, label === 1 ? wide(-7, 2) : value]),
    },
    'accepts',
    { difference: 'strict-cbor' },
  ],
  [
    'whose unprotected header has a label twice',
    { unprotectedPairs: (pairs) => [...pairs, ['io.cncf.notary.signingAgent', 'again']] },
    /duplicate/,
  ],
  [
    'whose algorithm is text',
    {},
    /integrity validation failed/,
    { also: { statedAlgorithm: 'ES256' } },
  ],
  [
    'whose content type is a number',
    { protectedPairs: (pairs) => pairs.map(([label, value]) => [label, label === 3 ? 50 : value]) },
    /integrity validation failed/,
  ],
  [
    'with one certificate as bare bytes',
    { x5chain: 'single' },
    /certificate chain is not present/,
    { also: { chain: makeChain({ selfSigned: true }) } },
  ],
  [
    'with its certificates in the protected header',
    { x5chain: 'in-protected' },
    /certificate chain is not present/,
    { difference: 'chain-in-protected-header' },
  ],
  [
    'whose signing time is text with tag 0',
    {},
    /integrity validation failed/,
    { also: { members: { [signingTime]: tagged(0, '2026-01-01T00:00:00Z') } } },
  ],
  [
    'whose signing time has no tag',
    {},
    /integrity validation failed/,
    { also: { members: { [signingTime]: 1_767_225_600 } } },
  ],
  [
    'whose signing time is a fraction',
    {},
    'accepts',
    { also: { members: { [signingTime]: tagged(1, 1_767_225_600.5) } }, difference: 'strict-cbor' },
  ],
  [
    'whose signing time is text with tag 1',
    {},
    /integrity validation failed/,
    { also: { members: { [signingTime]: tagged(1, '2026') } } },
  ],
  [
    'whose crit lists the label of the algorithm',
    {},
    'accepts',
    { also: { crit: [scheme, 1] }, difference: 'crit-list' },
  ],
  [
    'whose crit lists the label of the content type',
    {},
    'accepts',
    { also: { crit: [scheme, 3] }, difference: 'crit-list' },
  ],
  [
    'whose crit lists a number that is not there',
    {},
    /integrity validation failed/,
    { also: { crit: [scheme, 99] } },
  ],
  [
    'whose crit is one text',
    {
      protectedPairs: (pairs) =>
        pairs.map(([label, value]) => [label, label === 2 ? scheme : value]),
    },
    /integrity validation failed/,
  ],
  [
    'with an unknown critical attribute under a number',
    {
      protectedPairs: (pairs) => [
        ...pairs.map(([label, value]) => [label, label === 2 ? [scheme, 99] : value] as const),
        [99, 'x'],
      ],
    },
    'accepts',
    { difference: 'unknown-critical-attribute' },
  ],
  [
    'with an unknown attribute under a number',
    { protectedPairs: (pairs) => [...pairs, [99, 'x']] },
    'accepts',
  ],
  [
    'whose attribute has a tag',
    {},
    'accepts',
    { also: { members: { 'org.acme.note': tagged(42, 'x') } } },
  ],
  [
    'whose attribute is no well-formed CBOR',
    {},
    /integrity validation failed/,
    { also: { members: { 'org.acme.note': raw(0xff) } } },
  ],
  [
    'whose attribute is a simple value',
    {},
    'accepts',
    { also: { members: { 'org.acme.note': raw(0xf8, 0x63) } }, difference: 'strict-cbor' },
  ],
];

/** One thing broken that only COSE has, or that notation treats otherwise there. */
export const coseCases: readonly Case[] = coseRows.map(
  ([title, cose, notation, { also, ...options } = {}]) =>
    makeCase(`a COSE_Sign1 ${title}`, [signature('cose', { ...also, cose })], notation, options),
);
