import t from 'tap';
import { answerOf } from '../../../src/crypto/ocsp-answer.ts';
import { readOcspResponse } from '../../../src/crypto/ocsp-response.ts';
import { datesAsText } from '../../support/dates-as-text.ts';
import {
  makeDelegate,
  makeRevocationCase,
  makeStranger,
  ocspSigning,
} from '../../support/revocation-kit.ts';
import { buildOcsp, type OcspAnswerOptions, type OcspOptions } from '../../support/test-ocsp.ts';

const now = new Date('2030-01-01T00:00:00Z');
const { leaf, issuer, root, read } = makeRevocationCase();
const [certificate, authority] = read;
const another = makeRevocationCase({ subject: 'C=US, O=acme, CN=another' }).leaf;
const stranger = makeStranger();
const delegate = makeDelegate();

type Changes = Partial<OcspOptions> & { readonly answer?: Partial<OcspAnswerOptions> };

const ask = ({ answer, ...changes }: Changes = {}) => {
  const answers = [{ certificate: leaf, ...answer }];
  const response = readOcspResponse(buildOcsp({ issuer, answers, ...changes }));
  return answerOf(response, certificate, authority, now);
};

t.test('an answer by the issuer, or by whom it authorized, is believed until nextUpdate', (t) => {
  const good = { status: { kind: 'good' }, nextUpdate: new Date('2030-01-08T00:00:00Z') };
  const cases: Readonly<Record<string, Changes>> = {
    'the issuer by its name': {},
    'the issuer by its key': { named: 'by-key' },
    'a CertID by SHA-256': { answer: { hash: 'sha256' } },
    'a delegate by its name': { signer: delegate, certificates: [delegate] },
    'a delegate by its key': { signer: delegate, certificates: [delegate], named: 'by-key' },
    'a delegate among others': { signer: delegate, certificates: [root, issuer, delegate] },
    'among answers about others': {
      answers: [{ certificate: another, status: 'unknown' }, { certificate: leaf }],
    },
    'five minutes ahead of us': {
      producedAt: '2030-01-01T00:05:00Z',
      answer: { thisUpdate: '2030-01-01T00:05:00Z' },
    },
    'with what is not critical': {
      extensions: [{ oid: '1.3.6.1.5.5.7.48.1.2', value: Uint8Array.of(4, 1, 7) }],
    },
  };
  for (const [title, changes] of Object.entries(cases)) {
    t.match(datesAsText(ask(changes)), datesAsText(good), title);
  }
  t.end();
});

t.test('a revocation is told with its time, its reason and since when the key is in doubt', (t) => {
  const revokedAt = '2029-06-01T00:00:00Z';
  const status = { revokedAt, reason: 1, invalidityDate: '2029-05-01T00:00:00Z' };
  t.strictSame(ask({ answer: { status } }).status, {
    kind: 'revoked',
    revokedAt: new Date(revokedAt),
    reason: 'keyCompromise',
    invalidityDate: new Date('2029-05-01T00:00:00Z'),
  });
  t.match(ask({ answer: { status: { revokedAt } } }).status, { kind: 'revoked' });
  t.match(ask({ answer: { status: 'unknown' } }).status, { kind: 'unknown' });
  t.end();
});

const refusals: Readonly<Record<string, readonly [Changes, RegExp]>> = {
  'about another certificate': [{ answer: { certificate: another } }, /about another certificate/],
  'about the same number of another issuer': [
    { answer: { issuer: stranger } },
    /about another certificate/,
  ],
  'about the same number of the root': [{ answer: { issuer: root } }, /about another certificate/],
  'whose CertID has a hash that is not known': [
    { answer: { hash: 'md5' } },
    /about another certificate/,
  ],
  'that answers twice': [
    { answers: [{ certificate: leaf }, { certificate: leaf, status: 'unknown' }] },
    /answers twice/,
  ],
  'without any answer': [{ answers: [] }, /about another certificate/],
  'by a stranger of the same name': [{ signer: stranger }, /not signed by the responder/],
  'by another key than that of the responder': [
    { responder: issuer, signer: delegate, certificates: [delegate] },
    /not signed by the responder/,
  ],
  'by a delegate that is not sent along': [{ signer: delegate }, /not signed by the responder/],
  'by a delegate of another issuer': [
    { signer: stranger, certificates: [stranger], named: 'by-key' },
    /the issuer did not issue/,
  ],
  'by the certificate that it is about': [
    { signer: leaf, certificates: [leaf] },
    /not for signing OCSP responses/,
  ],
  'whose nextUpdate is now': [{ answer: { nextUpdate: '2030-01-01T00:00:00Z' } }, /ended at/],
  'without nextUpdate': [{ answer: { nextUpdate: 'absent' } }, /does not say until when/],
  'that begins too far ahead': [
    { answer: { thisUpdate: '2030-01-01T00:05:01Z' } },
    /a time to come/,
  ],
  'that was made too far ahead': [{ producedAt: '2030-01-01T00:05:01Z' }, /a time to come/],
};

for (const [title, [changes, message]] of Object.entries(refusals)) {
  t.test(`an OCSP response ${title} proves nothing`, (t) => {
    t.throws(() => ask(changes), { name: 'EnvelopeError', message });
    t.end();
  });
}

const delegates: Readonly<Record<string, readonly [Parameters<typeof makeDelegate>[0], RegExp]>> = {
  'without the purpose': [{ extendedKeyUsage: 'absent' }, /not for signing OCSP/],
  'for signing code': [
    { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.3'] } },
    /not for signing/,
  ],
  'for any purpose': [{ extendedKeyUsage: { purposes: ['2.5.29.37.0'] } }, /not for signing OCSP/],
  'whose key must not sign': [{ keyUsage: { bits: ['keyEncipherment'] } }, /for signing anything/],
  'that has ended': [{ notAfter: '2029-12-31T23:59:59Z' }, /not valid now/],
  'that has not begun': [{ notBefore: '2030-01-01T00:00:01Z' }, /not valid now/],
  'that a stranger signed': [{ signedBy: 'stranger' }, /the issuer did not issue/],
};

t.test('a delegate must be one', (t) => {
  for (const [title, [overrides, message]] of Object.entries(delegates)) {
    const signer = makeDelegate(overrides);
    const changes = { signer, certificates: [signer] };
    t.throws(() => ask(changes), { name: 'EnvelopeError', message }, title);
  }
  const both = makeDelegate({ extendedKeyUsage: { purposes: ['1.2.3', ocspSigning] } });
  t.match(ask({ signer: both, certificates: [both] }).status, { kind: 'good' });
  t.end();
});
