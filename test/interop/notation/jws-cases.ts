import type { JwsOverrides } from '../../support/sign-jws.ts';
import type { NotationOverrides } from '../../support/sign-notation.ts';
import { makeChain } from '../../support/test-ca.ts';
import { type Case, type CaseOptions, makeCase, signature } from './case.ts';

type Row = readonly [
  title: string,
  overrides: JwsOverrides,
  notation: Case['notation'],
  options?: CaseOptions & { readonly also?: NotationOverrides },
];

const scheme = 'io.cncf.notary.signingScheme';
const signingTime = 'io.cncf.notary.signingTime';

const last = (text: string, addition: string): string => `${text.slice(0, -1)}${addition}}`;
const chain = makeChain();
const x5c = chain.ders.map((der) => Buffer.from(der).toString('base64'));

const jwsRows: readonly Row[] = [
  [
    'with an authentic signing time under notary.x509',
    {},
    /authenticSigningTime/,
    {
      also: {
        members: { 'io.cncf.notary.authenticSigningTime': new Date('2026-01-01T00:00:00Z') },
      },
    },
  ],
  [
    'with a signing time under the signing authority scheme',
    {},
    /signingTime/,
    {
      also: {
        scheme: 'notary.x509.signingAuthority',
        members: { [signingTime]: new Date('2026-01-01T00:00:00Z') },
      },
    },
  ],
  ['whose crit lists the scheme twice', {}, /critical/, { also: { crit: [scheme, scheme] } }],
  ['whose crit lists the signing time', {}, /critical/, { also: { crit: [scheme, signingTime] } }],
  [
    'with a member that JWS does not know',
    { envelopeMembers: { note: 'hello' } },
    'accepts',
    { difference: 'jws-members' },
  ],
  [
    'with signatures of the general form beside',
    { envelopeMembers: { signatures: [] } },
    'accepts',
    { difference: 'jws-members' },
  ],
  [
    'that states payload twice, the right one last',
    { envelopeText: (text) => `{"payload":"e30",${text.slice(1)}` },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
  [
    'that writes payload in capitals',
    { envelopeText: (text) => text.replace('"payload"', '"Payload"') },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
  ['without payload', { envelopeMembers: { payload: undefined } }, /integrity validation failed/],
  [
    'without protected header',
    { envelopeMembers: { protected: undefined } },
    /integrity validation failed/,
  ],
  ['without unprotected header', { envelopeMembers: { header: undefined } }, /certificate/],
  [
    'without signature',
    { envelopeMembers: { signature: undefined } },
    /integrity validation failed/,
  ],
  ['of the compact form', { envelopeText: compact }, /invalid character/],
  ['with text after the JSON', { envelopeText: (text) => `${text} {}` }, /invalid character/],
  ['with space around the JSON', { envelopeText: (text) => `\n ${text}\n` }, 'accepts'],
  ['with a byte order mark', { envelopeText: (text) => `\ufeff${text}` }, /invalid character/],
  ['that is no JSON', { envelopeText: () => 'hello' }, /invalid character/],
  ['that is a list', { envelopeText: (text) => `[${text}]` }, /unmarshal/],
  [
    'whose payload has base64 padding',
    { payloadEncoding: (text) => `${text}=` },
    /integrity validation failed/,
  ],
  [
    'whose payload is base64, not base64url',
    { payloadEncoding: (text) => `${text}+/` },
    /integrity validation failed/,
  ],
  [
    'whose protected header has a line break',
    { protectedEncoding: (text) => `${text}\n` },
    /integrity/,
  ],
  [
    'whose protected header was changed after signing',
    { protectedEncoding: (text) => `${text.slice(0, -2)}AA` },
    /integrity validation failed/,
  ],
  [
    'whose payload was changed after signing',
    { payloadEncoding: (text) => `${text.slice(0, -4)}AAAA` },
    /integrity/,
  ],
  [
    'whose protected header is no JSON',
    { protectedText: () => 'hello' },
    /integrity validation failed/,
  ],
  [
    'whose protected header has text after the JSON',
    { protectedText: (text) => `${text} {}` },
    /integrity validation failed/,
  ],
  [
    'whose protected header states the content type twice',
    { protectedText: (text) => last(text, ',"cty":"application/vnd.cncf.notary.payload.v1+json"') },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
  [
    'whose protected header writes cty in capitals',
    { protectedText: (text) => text.replace('"cty"', '"CTY"') },
    'accepts',
    { difference: 'ambiguous-json' },
  ],
  [
    'whose signing time has fractions',
    { protectedText: (text) => text.replace('00:00:00Z', '00:00:00.25Z') },
    'accepts',
  ],
  [
    'whose signing time has an offset',
    { protectedText: (text) => text.replace('00:00:00Z', '00:00:00+08:00') },
    'accepts',
  ],
  [
    'whose signing time has a space for T',
    { protectedText: (text) => text.replace('01T00', '01 00') },
    /integrity validation failed/,
  ],
  [
    'whose signing time is a day that is not',
    { protectedText: (text) => text.replace('2026-01-01', '2026-02-30') },
    /integrity validation failed/,
  ],
  [
    'whose crit lists the algorithm',
    {},
    /critical/,
    { also: { crit: ['io.cncf.notary.signingScheme', 'alg'] } },
  ],
  [
    'whose crit lists the content type',
    {},
    /critical/,
    { also: { crit: ['io.cncf.notary.signingScheme', 'cty'] } },
  ],
  [
    'whose crit is one text',
    { protectedText: (text) => text.replace(/"crit":\[("[^"]+")\]/, '"crit":$1') },
    /integrity validation failed/,
  ],
  [
    'with b64 false',
    {},
    'accepts',
    { also: { members: { b64: false } }, difference: 'unencoded-payload' },
  ],
  ['with a key in its header', {}, 'accepts', { also: { members: { jwk: 'x' } } }],
  [
    'with an address of keys in its header',
    {},
    'accepts',
    { also: { members: { jku: 'https://keys.example' } } },
  ],
  [
    'whose certificates are base64url',
    { envelopeText: (text) => text.replaceAll(/\+/g, '-') },
    /integrity validation failed/,
  ],
  [
    'whose certificates are one text',
    {},
    /integrity validation failed/,
    { also: { unprotected: { x5c: x5c[0] } } },
  ],
  [
    'whose certificates are not there',
    {},
    /certificate/,
    { also: { unprotected: { x5c: undefined } } },
  ],
  [
    'whose certificates have line breaks',
    {},
    'accepts',
    {
      also: { unprotected: { x5c: x5c.map((text) => `${text.slice(0, 64)}\n${text.slice(64)}`) } },
      difference: 'certificate-base64',
    },
  ],
];

function compact(text: string): string {
  const {
    protected: header,
    payload,
    signature: made,
  } = JSON.parse(text) as Record<string, string>;
  return `${header}.${payload}.${made}`;
}

/** One thing broken that only JWS has, or that notation treats otherwise there. */
export const jwsCases: readonly Case[] = jwsRows.map(
  ([title, jws, notation, { also, ...options } = {}]) =>
    makeCase(`a JWS ${title}`, [signature('jws', { ...also, jws })], notation, options),
);
