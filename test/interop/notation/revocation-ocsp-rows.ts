import * as asn1 from '../../support/der-encoder.ts';
import { makeDelegate } from '../../support/revocation-kit.ts';
import { buildOcspRefusal } from '../../support/test-ocsp.ts';
import {
  crlOf,
  delegate,
  inDays,
  ocspOf,
  type OcspChanges,
  permissive,
  type RevocationRow,
  type RevocationRows,
  stranger,
} from './revocation-row.ts';

const row = (
  changes: OcspChanges,
  notation: RevocationRow['notation'],
  more: Partial<RevocationRow> = {},
): RevocationRow => ({ serves: { ocsp: (of) => ocspOf(of, changes) }, notation, ...more });

const critical = [{ oid: '1.2.3', critical: true, value: asn1.nothing() }];
const revoked = { answer: { status: { revokedAt: inDays(-2), reason: 1 } } };
const authority = {
  sign: {
    scheme: 'notary.x509.signingAuthority',
    signingTime: '2026-06-01T00:00:00Z',
  },
} as const;
const since = (invalidityDate: string): OcspChanges => ({
  answer: { status: { revokedAt: inDays(-2), reason: 1, invalidityDate } },
});
const by = (signer: ReturnType<typeof makeDelegate>): OcspChanges => ({
  signer,
  certificates: [signer],
});

/** Certificates that name an OCSP responder. */
export const ocspRows: RevocationRows = {
  'that its responder calls good': row({}, 'accepts'),
  'that its responder calls good, by the key of the responder': row({ named: 'by-key' }, 'accepts'),
  'that its responder calls good, with a CertID by SHA-256': row(
    { answer: { hash: 'sha256' } },
    'accepts',
  ),
  'that a delegate calls good': row(by(delegate), 'accepts'),
  'that a delegate calls good, by the key of the delegate': row(
    { ...by(delegate), named: 'by-key' },
    'accepts',
  ),
  'that its responder revokes': row(revoked, /revoked/),
  'that its responder revokes, at level permissive': row(revoked, 'accepts', {
    options: permissive,
  }),
  'that its responder revokes, with a reason that others forgive': row(
    { answer: { status: { revokedAt: inDays(-2), reason: 4 } } },
    /revoked/,
  ),
  'that a delegate revokes': row({ ...by(delegate), ...revoked }, /revoked/),
  'that its responder does not know': row({ answer: { status: 'unknown' } }, /revocation/),
  'that its responder does not know, at level permissive': row(
    { answer: { status: 'unknown' } },
    'accepts',
    { options: permissive },
  ),
  'that its responder does not know, but its list': row(
    { answer: { status: 'unknown' } },
    'accepts',
    { serves: { ocsp: (of) => ocspOf(of, { answer: { status: 'unknown' } }), crl: crlOf } },
  ),
  'whose responder refuses, but its list calls good': row({}, 'accepts', {
    serves: { ocsp: () => buildOcspRefusal(3), crl: crlOf },
  }),
  'whose responder refuses, and its list revokes': row({}, /revoked/, {
    serves: {
      ocsp: () => buildOcspRefusal(6),
      crl: (of) => crlOf(of, { revoked: [of.certificate] }),
    },
  }),
  'that its responder calls good, and its list revokes': row({}, 'accepts', {
    serves: { ocsp: ocspOf, crl: (of) => crlOf(of, { revoked: [of.certificate] }) },
  }),
  'whose responder refuses': row({}, /revocation/, {
    serves: { ocsp: () => buildOcspRefusal(3) },
  }),
  'whose responder talks nonsense': row({}, /revocation/, {
    serves: { ocsp: () => Buffer.from('<html>') },
  }),
  'whose responder says too much': row({}, /revocation/, {
    serves: {
      ocsp: (of) =>
        ocspOf(of, {
          extensions: [{ oid: '1.2.3', value: asn1.octets(new Uint8Array(21 * 1024)) }],
        }),
    },
  }),
  'of whose responders the first is not there': row({}, 'accepts', {
    serves: { second: ocspOf },
    ocsp: ['first', 'second'],
  }),
  'of whose responders the second alone revokes': row({}, 'accepts', {
    serves: { first: ocspOf, second: (of) => ocspOf(of, revoked) },
    ocsp: ['first', 'second'],
  }),
  'of which a stranger says that it is good': row({ signer: stranger }, /revocation/),
  'of which a stranger says so with its certificate': row(
    { signer: stranger, certificates: [stranger] },
    /revocation/,
  ),
  'whose responder answers for another number': row(
    { answer: { certificate: delegate } },
    /revocation/,
  ),
  'whose responder answers for another issuer': row({ answer: { issuer: stranger } }, 'accepts', {
    options: { difference: 'ocsp-certificate' },
  }),
  'whose responder answers twice': {
    serves: {
      ocsp: (of) => {
        const times = { thisUpdate: inDays(-1), nextUpdate: inDays(6) };
        const answer = { certificate: of.certificate, ...times };
        return ocspOf(of, { answers: [answer, { ...answer, status: {} }] });
      },
    },
    notation: 'accepts',
    options: { difference: 'ocsp-certificate' },
  },
  'whose responder answers for others too': {
    serves: {
      ocsp: (of) => {
        const times = { thisUpdate: inDays(-1), nextUpdate: inDays(6) };
        const others = { certificate: delegate, ...times, status: {} };
        return ocspOf(of, { answers: [others, { certificate: of.certificate, ...times }] });
      },
    },
    notation: 'accepts',
  },
  'of which a delegate without the purpose says that it is good': row(
    by(makeDelegate({ extendedKeyUsage: 'absent' })),
    'accepts',
    { options: { difference: 'ocsp-delegate' } },
  ),
  'of which a delegate for code says that it is good': row(
    by(makeDelegate({ extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3'] } })),
    'accepts',
    { options: { difference: 'ocsp-delegate' } },
  ),
  'of which a delegate that has ended says that it is good': row(
    by(makeDelegate({ notAfter: '2026-01-01T00:00:00Z' })),
    'accepts',
    { options: { difference: 'ocsp-delegate' } },
  ),
  'of which a delegate that a stranger signed says that it is good': row(
    by(makeDelegate({ signedBy: 'stranger' })),
    /revocation/,
  ),
  'of which itself says that it is good': {
    serves: {
      ocsp: (of) => ocspOf(of, { signer: of.certificate, certificates: [of.certificate] }),
    },
    notation: 'accepts',
    options: { difference: 'ocsp-delegate' },
  },
  'whose answer is over': row({ answer: { nextUpdate: inDays(-1) } }, /revocation/),
  'whose answer is over, at level permissive': row(
    { answer: { nextUpdate: inDays(-1) } },
    'accepts',
    { options: permissive },
  ),
  'whose answer has no end': row({ answer: { nextUpdate: 'absent' } }, /revocation/),
  'whose answer is of tomorrow': row({ answer: { thisUpdate: inDays(1) } }, 'accepts', {
    options: { difference: 'revocation-of-tomorrow' },
  }),
  'whose answer has an unknown critical extension': row(
    { answer: { extensions: critical } },
    /revocation/,
  ),
  'whose response has an unknown critical extension': row({ extensions: critical }, 'accepts', {
    options: { difference: 'ocsp-critical-extension' },
  }),
  'that was revoked, of an authority that signed when it was valid': row(
    since('2026-07-01T00:00:00Z'),
    'accepts',
    authority,
  ),
  'that was revoked, of an authority that signed when it was not': row(
    since('2026-05-01T00:00:00Z'),
    /revoked/,
    authority,
  ),
  'that was revoked without saying since when, of an authority': row(revoked, /revoked/, authority),
  'that was invalid later than it signed by its own word': row(since(inDays(-1)), /revoked/),
  'whose intermediate its responder calls good': row({}, 'accepts', { of: 'intermediate' }),
  'whose intermediate its responder revokes': row(revoked, /revoked/, { of: 'intermediate' }),
  'whose intermediate its responder does not know': row(
    { answer: { status: 'unknown' } },
    /revocation/,
    { of: 'intermediate' },
  ),
};
