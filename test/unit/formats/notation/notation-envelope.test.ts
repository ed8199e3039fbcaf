import t from 'tap';
import {
  attributeNames,
  expectCertificates,
  implementedCritical,
} from '../../../../src/formats/notation/notation-envelope.ts';

const certificates = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, () => Uint8Array.of(0));

t.test('an envelope has 1 to 16 certificates', async (t) => {
  t.equal(expectCertificates(certificates(1), 'JWS_MALFORMED').length, 1);
  t.equal(expectCertificates(certificates(16), 'JWS_MALFORMED').length, 16);
  for (const count of [0, 17]) {
    t.throws(() => expectCertificates(certificates(count), 'COSE_MALFORMED'), {
      code: 'COSE_MALFORMED',
      message: `the envelope has ${count} certificates, not 1 to 16`,
    });
  }
});

t.test('the time that a signer claims is not among what must be understood', async (t) => {
  t.strictSame(implementedCritical, [
    'io.cncf.notary.signingScheme',
    'io.cncf.notary.authenticSigningTime',
    'io.cncf.notary.expiry',
  ]);
  t.notOk(implementedCritical.includes(attributeNames.signingTime));
});
