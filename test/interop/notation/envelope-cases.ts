import {
  type NotationFormat,
  type NotationOverrides,
  payloadType,
} from '../../support/sign-notation.ts';
import { makeChain } from '../../support/test-ca.ts';
import { testKey } from '../../support/test-keys.ts';
import { type Case, type CaseOptions, formats, makeCase, signature } from './case.ts';

type Row = readonly [
  title: string,
  overrides: NotationOverrides | ((format: NotationFormat) => NotationOverrides),
  notation: Case['notation'],
  options?: CaseOptions,
];

const chain = makeChain({ intermediates: 1 });
const [leaf, middle, top] = chain.ders as readonly [Uint8Array, Uint8Array, Uint8Array];
const stranger = makeChain({ authority: 'stranger' });
const authority = 'notary.x509.signingAuthority';
const scheme = 'io.cncf.notary.signingScheme';
const expiryName = 'io.cncf.notary.expiry';
const authenticTime = 'io.cncf.notary.authenticSigningTime';
const signingTimeName = 'io.cncf.notary.signingTime';

const flipped = (at: number) => (bytes: Uint8Array) =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

const signatures: readonly Row[] = [
  ['with one bit of its first byte changed', { signature: flipped(0) }, /integrity/],
  ['with one bit of its last byte changed', { signature: flipped(63) }, /integrity/],
  ['cut by a byte', { signature: (bytes) => bytes.subarray(1) }, /integrity/],
  ['with a byte too many', { signature: (bytes) => Buffer.concat([bytes, bytes]) }, /integrity/],
  ['that is empty', { signature: () => new Uint8Array() }, /integrity validation failed/],
  [
    'by another key than the leaf certificate has',
    { signWith: testKey('EC-256', 'other') },
    /integrity/,
  ],
];

const headers: readonly Row[] = [
  ['of another content type', { contentType: 'application/json' }, /payload content type/],
  ['without content type', { contentType: 'absent' }, /integrity validation failed/],
  [
    'of a content type in capitals',
    { contentType: payloadType.toUpperCase() },
    /payload content type/,
  ],
  ['with an unknown scheme', { members: { [scheme]: 'notary.x509.other' } }, /[Ss]igningScheme/],
  ['without a scheme', { members: { [scheme]: undefined } }, /[Ss]igningScheme/],
  ['with a scheme that is no text', { members: { [scheme]: 7 } }, /integrity validation failed/],
  ['without signing time', { members: { [signingTimeName]: undefined } }, /signing-?[tT]ime/],
  [
    'with a signing time that is no time',
    { members: { [signingTimeName]: 'yesterday' } },
    /integrity validation failed/,
  ],
  [
    'without authentic signing time under the signing authority scheme',
    { scheme: authority, members: { [authenticTime]: undefined }, crit: [scheme] },
    /authenticSigningTime/,
  ],
  [
    'whose authentic signing time is not critical',
    { scheme: authority, crit: [scheme] },
    /not marked as critical/,
  ],
  ['that expired', { expiry: '2026-02-01T00:00:00Z' }, /expired/],
  ['whose expiry is its signing time', { expiry: '2026-01-01T00:00:00Z' }, /expiry cannot be/],
  [
    'whose expiry is before its signing time',
    { expiry: '2025-01-01T00:00:00Z' },
    /expiry cannot be/,
  ],
  [
    'whose expiry is no time',
    { members: { [expiryName]: 'never' }, crit: [scheme, expiryName] },
    /integrity validation failed/,
  ],
  [
    'whose expiry is not critical',
    { expiry: '2048-01-01T00:00:00Z', crit: [scheme] },
    /not marked as critical/,
  ],
  ['without crit', { crit: 'absent' }, /crit/],
  ['whose crit is empty', { crit: [] }, /crit/],
  ['whose crit lacks the scheme', { crit: [signingTimeName] }, /integrity validation failed/],
  ['whose crit lists what is not there', { crit: [scheme, 'org.acme.absent'] }, /critical/],
  ['with an unknown attribute', { members: { 'org.acme.note': 'hello' } }, 'accepts'],
  [
    'with an unknown critical attribute',
    { criticalMembers: { 'org.acme.rule': 'hello' } },
    'accepts',
    { difference: 'unknown-critical-attribute' },
  ],
  [
    'that asks for a verification plugin',
    { criticalMembers: { 'io.cncf.notary.verificationPlugin': 'acme' } },
    /plugin/,
  ],
  [
    'that asks for a verification plugin, but not critically',
    { members: { 'io.cncf.notary.verificationPlugin': 'acme' } },
    /not a critical/,
  ],
  [
    'that states a least version of a plugin which it does not name',
    { criticalMembers: { 'io.cncf.notary.verificationPluginMinVersion': '1.0.0' } },
    'accepts',
    { difference: 'unknown-critical-attribute' },
  ],
];

const es384 = { jws: 'ES384', cose: -35 } as const;
const rs256 = { jws: 'RS256', cose: -257 } as const;
const ps256 = { jws: 'PS256', cose: -37 } as const;
const eddsa = { jws: 'EdDSA', cose: -8 } as const;
const hs256 = { jws: 'HS256', cose: 5 } as const;

const algorithms: readonly Row[] = [
  [
    'that states ES384 for a P-256 key',
    (format) => ({ statedAlgorithm: es384[format] }),
    /integrity validation failed/,
  ],
  [
    'that states PS256 for a P-256 key',
    (format) => ({ statedAlgorithm: ps256[format] }),
    /integrity validation failed/,
  ],
  [
    'that states RS256',
    (format) => ({ statedAlgorithm: rs256[format] }),
    /integrity validation failed/,
  ],
  [
    'that states HS256',
    (format) => ({ statedAlgorithm: hs256[format] }),
    /integrity validation failed/,
  ],
  [
    'that states EdDSA',
    (format) => ({ statedAlgorithm: eddsa[format] }),
    /integrity validation failed/,
  ],
  ['that states no algorithm', { statedAlgorithm: 'absent' }, /integrity validation failed/],
  [
    'that states an algorithm nobody knows',
    (format) => ({ statedAlgorithm: format === 'jws' ? 'none' : 4711 }),
    /integrity validation failed/,
  ],
  [
    'by a P-384 key that states ES256',
    (format) => ({ algorithm: 'ES384', statedAlgorithm: format === 'jws' ? 'ES256' : -7 }),
    /integrity validation failed/,
  ],
];

const chains: readonly Row[] = [
  ['without certificates', { certificates: [] }, /certificate/],
  ['without its root', { certificates: [leaf, middle] }, /root certificate/],
  ['with the leaf alone', { certificates: [leaf] }, /self-signed/],
  ['without its intermediate', { certificates: [leaf, top] }, /issued by/],
  [
    'with its chain upside down',
    { certificates: [top, middle, leaf] },
    /integrity validation failed/,
  ],
  ['with its leaf twice', { certificates: [leaf, leaf, middle, top] }, /issued by/],
  ['with its root twice', { certificates: [leaf, middle, top, top] }, /self-signed/],
  [
    "with a stranger's root behind its own",
    { certificates: [leaf, middle, top, stranger.root.der] },
    /self-signed/,
  ],
  [
    "with a stranger's root in place of its own",
    { certificates: [leaf, middle, stranger.root.der] },
    /issued by/,
  ],
  ["with a stranger's whole chain", { certificates: stranger.ders }, /integrity/],
  [
    'whose leaf is garbage',
    { certificates: [leaf.subarray(1), middle, top] },
    /integrity validation failed/,
  ],
  [
    'whose intermediate is garbage',
    { certificates: [leaf, middle.subarray(1), top] },
    /integrity validation failed/,
  ],
  [
    'whose leaf has a byte too many',
    { certificates: [Buffer.concat([leaf, leaf.subarray(0, 1)]), middle, top] },
    /integrity validation failed/,
  ],
  ['by a chain that nobody trusts', { chain: stranger }, /trusted certificate/],
];

const unprotected: readonly Row[] = [
  ['with an unprotected attribute more', { unprotected: { 'org.acme.note': 'hello' } }, 'accepts'],
  [
    'without a signing agent',
    { unprotected: { 'io.cncf.notary.signingAgent': undefined } },
    'accepts',
  ],
  [
    'with a broken timestamp where no timestamp is asked for',
    (format) => ({
      unprotected: {
        'io.cncf.notary.timestampSignature': format === 'jws' ? 'AAAA' : Uint8Array.of(1),
      },
    }),
    'accepts',
  ],
];

const groups = { signatures, headers, algorithms, chains, unprotected };
const nouns: Readonly<Record<keyof typeof groups, string>> = {
  signatures: 'signature',
  headers: 'envelope',
  algorithms: 'envelope',
  chains: 'envelope',
  unprotected: 'envelope',
};

/** One thing broken in the envelope, each in both encodings. */
export const envelopeCases: readonly Case[] = formats.flatMap((format) =>
  (Object.keys(groups) as (keyof typeof groups)[]).flatMap((group) =>
    groups[group].map(([title, overrides, notation, options]) =>
      makeCase(
        `a ${format} ${nouns[group]} ${title}`,
        [signature(format, typeof overrides === 'function' ? overrides(format) : overrides)],
        notation,
        options,
      ),
    ),
  ),
);
