import * as asn1 from '../../support/der-encoder.ts';
import {
  type CrlEntryOptions,
  type CrlOptions,
  encodePoints,
  pointName,
} from '../../support/test-crl.ts';
import {
  crlOf,
  delegate,
  inDays,
  type Issued,
  permissive,
  type RevocationRow,
  type RevocationRows,
  stranger,
} from './revocation-row.ts';

type Changes = Partial<CrlOptions> | ((of: Issued) => Partial<CrlOptions>);

const list =
  (changes: Changes) =>
  (of: Issued): Uint8Array =>
    crlOf(of, typeof changes === 'function' ? changes(of) : changes);

const row = (
  changes: Changes,
  notation: RevocationRow['notation'],
  more: Partial<RevocationRow> = {},
): RevocationRow => ({ serves: { crl: list(changes) }, notation, ...more });

/** Lists the certificate itself. */
const listing =
  (entry: Omit<CrlEntryOptions, 'certificate'> = {}) =>
  ({ certificate }: Issued): Partial<CrlOptions> => ({ revoked: [{ certificate, ...entry }] });

const critical = [{ oid: '1.2.3', critical: true, value: asn1.nothing() }];
const flag = (number: number): Uint8Array => asn1.implicit(number, Uint8Array.of(0xff));
const scoped = (...scope: readonly Uint8Array[]): Changes => ({ scope });

/** A list with number 5 and its delta. */
const withDelta = (
  base: Changes,
  delta: Changes,
  notation: RevocationRow['notation'],
  options?: RevocationRow['options'],
): RevocationRow => {
  const given = (changes: Changes, of: Issued): Partial<CrlOptions> =>
    typeof changes === 'function' ? changes(of) : changes;
  return {
    serves: {
      crl: (of) => crlOf(of, { number: 5, freshestUrls: [`${of.url}/delta`], ...given(base, of) }),
      delta: (of) => crlOf(of, { number: 6, baseNumber: 5, ...given(delta, of) }),
    },
    notation,
    ...(options !== undefined && { options }),
  };
};

const authority = {
  sign: {
    scheme: 'notary.x509.signingAuthority',
    signingTime: '2026-06-01T00:00:00Z',
  },
} as const;

/** Certificates that name a list which can be read. */
export const crlRows: RevocationRows = {
  'that its list does not revoke': row({}, 'accepts'),
  'that its list does not revoke, among others that it does': row(
    { revoked: [{ certificate: delegate, reason: 1 }, stranger] },
    'accepts',
  ),
  'that its list revokes': row(listing(), /revoked/),
  'that its list revokes, at level permissive': row(listing(), 'accepts', { options: permissive }),
  'that its list revokes, saying why': row(listing({ reason: 4 }), /revoked/),
  'that its list holds': row(listing({ reason: 6 }), /revoked/),
  'that its list has removed': row(listing({ reason: 8 }), 'accepts'),
  'whose list is out of date': row(
    { nextUpdate: inDays(-1), thisUpdate: inDays(-2) },
    /revocation/,
  ),
  'whose list is out of date, at level permissive': row(
    { nextUpdate: inDays(-1), thisUpdate: inDays(-2) },
    'accepts',
    { options: permissive },
  ),
  'whose list has no end': row({ nextUpdate: 'absent' }, /revocation/),
  'whose list is of tomorrow': row({ thisUpdate: inDays(1) }, 'accepts', {
    options: { difference: 'revocation-of-tomorrow' },
  }),
  'whose list a stranger signed': row({ signer: stranger }, /revocation/),
  'whose list is of another issuer': row({ issuer: stranger }, /revocation/),
  'whose list has no number': row({ number: 'absent' }, 'accepts'),
  'whose list has an unknown critical extension': row({ extensions: critical }, /revocation/),
  'whose list has an unknown extension': row(
    { extensions: [{ oid: '1.2.3', value: asn1.nothing() }] },
    'accepts',
  ),
  'whose list has an unknown critical extension on its entry': row(
    listing({ extensions: critical }),
    /revocation|revoked/,
  ),
  'whose list has an unknown critical extension on the entry of another': row(
    { revoked: [{ certificate: delegate, extensions: critical }] },
    'accepts',
    { options: { difference: 'crl-entry-extension' } },
  ),
  'whose list is no list': row({}, /revocation/, { serves: { crl: () => Buffer.from('<html>') } }),
  'whose list says where it is': row(
    ({ url }) => ({ scope: [pointName(`${url}/crl`)] }),
    'accepts',
  ),
  'whose list is for another place': row(scoped(pointName('http://other/')), 'accepts', {
    options: { difference: 'crl-scope' },
  }),
  'whose list is of signers': row(scoped(flag(1)), 'accepts'),
  'whose list is of authorities': row(scoped(flag(2)), 'accepts', {
    options: { difference: 'crl-scope' },
  }),
  'whose list is of attribute certificates': row(scoped(flag(5)), 'accepts', {
    options: { difference: 'crl-scope' },
  }),
  'whose list is of several issuers': row(scoped(flag(4)), 'accepts', {
    options: { difference: 'crl-scope' },
  }),
  'whose list is for one reason alone': row(
    scoped(asn1.implicit(3, Uint8Array.of(6, 0x40))),
    'accepts',
    { options: { difference: 'crl-scope' } },
  ),
  'of whose lists the second revokes': row({}, /revoked/, {
    serves: { crl: list({}), second: list(listing()) },
    crl: ['crl', 'second'],
  }),
  'of whose lists the second is not there': row({}, /revocation/, { crl: ['crl', 'second'] }),
  'of whose lists neither revokes': row({}, 'accepts', {
    serves: { crl: list({}), second: list({}) },
    crl: ['crl', 'second'],
  }),
  'whose delta has no news': withDelta({}, {}, 'accepts'),
  'that a delta revokes': withDelta({}, listing(), /revoked/),
  'that its list holds and a delta removes': withDelta(
    listing({ reason: 6, revokedAt: inDays(-3) }),
    listing({ reason: 8, revokedAt: inDays(-2) }),
    'accepts',
  ),
  'that its list revokes and a delta removes': withDelta(
    listing(),
    listing({ reason: 8 }),
    /revoked/,
  ),
  'whose delta is for a later list': withDelta({}, { number: 7, baseNumber: 6 }, /revocation/),
  'whose delta is older than its list': withDelta({}, { number: 4, baseNumber: 3 }, /revocation/),
  'whose delta came with its list': withDelta({}, { number: 5, baseNumber: 4 }, /revocation/, {
    difference: 'delta-of-the-same-number',
  }),
  'whose delta is over': withDelta(
    {},
    { thisUpdate: inDays(-3), nextUpdate: inDays(-2) },
    /revocation/,
  ),
  'whose delta is no delta': {
    serves: {
      crl: (of) => crlOf(of, { number: 5, freshestUrls: [`${of.url}/delta`] }),
      delta: (of) => crlOf(of, { number: 6 }),
    },
    notation: /revocation/,
  },
  'whose delta is not there': row(({ url }) => ({ freshestUrls: [`${url}/delta`] }), /revocation/),
  'whose list is a delta': row({ number: 6, baseNumber: 5 }, 'accepts', {
    options: { difference: 'crl-scope' },
  }),
  'that names a delta itself': row({}, /revocation/, {
    leaf: { extensions: [{ oid: '2.5.29.46', value: encodePoints(['http://127.0.0.1:9/']) }] },
  }),
  'that was listed, of an authority that signed when it was valid': row(
    listing({ reason: 1, invalidityDate: '2026-07-01T00:00:00Z' }),
    'accepts',
    authority,
  ),
  'that was listed, of an authority that signed when it was not': row(
    listing({ reason: 1, invalidityDate: '2026-05-01T00:00:00Z' }),
    /revoked/,
    authority,
  ),
  'whose intermediate its list does not revoke': row({}, 'accepts', { of: 'intermediate' }),
  'whose intermediate its list revokes': row(listing(), /revoked/, { of: 'intermediate' }),
  'whose intermediate is on no list of signers': row(scoped(flag(1)), 'accepts', {
    of: 'intermediate',
    options: { difference: 'crl-scope' },
  }),
};
