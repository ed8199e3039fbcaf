import t from 'tap';
import { maxOcspBytes, readOcspResponse } from '../../../src/crypto/ocsp-response.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';
import { buildOcsp, buildOcspRefusal, type OcspOptions } from '../../support/test-ocsp.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const { leaf, issuer } = makeRevocationCase();
const build = (changes: Partial<OcspOptions> = {}): Uint8Array =>
  buildOcsp({ issuer, answers: [{ certificate: leaf }], ...changes });

t.test('a response is read as it stands', (t) => {
  t.match(
    datesAsText(readOcspResponse(build())),
    datesAsText({
      producedAt: new Date('2029-12-31T00:00:00Z'),
      responder: { name: Buffer.from(issuer.name) },
      responses: [{ status: { kind: 'good' }, nextUpdate: new Date('2030-01-08T00:00:00Z') }],
      certificates: [],
    }),
  );
  t.equal(readOcspResponse(build({ certificates: [issuer, leaf] })).certificates.length, 2);
  t.end();
});

t.test('a responder that refuses is quoted', (t) => {
  const names = { 1: /malformedRequest/, 2: /internalError/, 3: /tryLater/, 5: /sigRequired/ };
  for (const [status, message] of Object.entries({ ...names, 6: /unauthorized/, 4: /it fails/ })) {
    const refuse = (): unknown => readOcspResponse(buildOcspRefusal(Number(status)));
    t.throws(refuse, { name: 'EnvelopeError', message }, status);
  }
  t.end();
});

const critical = { oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) };
const malformed: Readonly<Record<string, () => Uint8Array>> = {
  'nothing at all': () => new Uint8Array(),
  'success without a response': () => buildOcspRefusal(0),
  'bytes after the end': () => Buffer.concat([build(), Uint8Array.of(0)]),
  'more bytes than may be': () => new Uint8Array(maxOcspBytes + 1),
  'a response of another type': () => {
    const bytes = asn1.sequence(asn1.oid('1.2.3'), asn1.octets(asn1.sequence()));
    return asn1.sequence(asn1.enumerated(0), asn1.explicit(0, bytes));
  },
  'a critical extension': () => build({ extensions: [critical] }),
  'an answer with a critical extension': () =>
    build({ answers: [{ certificate: leaf, extensions: [critical] }] }),
  'a reason without a meaning': () =>
    build({ answers: [{ certificate: leaf, status: { reason: 7 } }] }),
  'too many certificates': () =>
    build({ certificates: [issuer, issuer, issuer, issuer, issuer, issuer, issuer, issuer, leaf] }),
};

for (const [title, make] of Object.entries(malformed)) {
  t.test(`${title}: not read`, (t) => {
    t.throws(() => readOcspResponse(make()), { name: 'EnvelopeError' });
    t.end();
  });
}
