import { createHash } from 'node:crypto';
import t from 'tap';
import { readSignedData } from '../../../src/crypto/cms.ts';
import { readEssCertificateId } from '../../../src/crypto/ess-certificate-id.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  hashAlgorithm,
  issuerAndSerial,
  oids,
  type TimestampOverrides,
  timestampToken,
} from '../../support/sign-timestamp.ts';
import { makeAuthority } from '../../support/test-authority.ts';

const authority = makeAuthority();
const { leaf } = authority;

function read(overrides: TimestampOverrides = {}) {
  const token = timestampToken(Buffer.from('hello'), { authority, ...overrides });
  const [signer] = readSignedData(token).signers;
  if (signer === undefined) throw new TypeError('a token has a signer');
  return readEssCertificateId(signer);
}

const attribute = (...values: readonly Uint8Array[]): TimestampOverrides => ({
  attributes: { [oids.signingCertificateV2]: values },
});
const digest = asn1.octets(createHash('sha256').update(leaf.der).digest());
const id = asn1.sequence(digest);
const directory = asn1.explicit(4, leaf.name);
const named = (...parts: readonly Uint8Array[]): TimestampOverrides =>
  attribute(asn1.sequence(asn1.sequence(asn1.sequence(digest, asn1.sequence(...parts)))));

t.test('it names a certificate by its hash, its issuer and its serial number', async (t) => {
  const read256 = read();
  t.equal(read256.hash, 'sha256', 'the one that is not stated');
  t.strictSame(read256.digest, createHash('sha256').update(leaf.der).digest());
  const { issuer, serialNumber } = read256.issuerAndSerial ?? {};
  const whole = asn1.sequence(issuer ?? leaf.name, asn1.integer(serialNumber ?? leaf.name));
  t.strictSame(Buffer.from(whole), Buffer.from(issuerAndSerial(leaf)));
  for (const hash of ['sha384', 'sha512'] as const) {
    t.strictSame(read({ ess: { hash } }).digest, createHash(hash).update(leaf.der).digest());
  }
});

t.test('issuer and serial number may be left out, and SHA-256 be stated', async (t) => {
  t.equal(read({ ess: { name: 'absent' } }).issuerAndSerial, undefined);
  const stated = asn1.sequence(hashAlgorithm('sha256'), digest);
  t.equal(read(attribute(asn1.sequence(asn1.sequence(stated)))).hash, 'sha256');
});

t.test('the first of several is the signer, and policies are passed by', async (t) => {
  const other = asn1.sequence(asn1.octets(Buffer.alloc(32)));
  const policies = asn1.sequence(asn1.sequence(asn1.oid('1.2.3')));
  const { digest: first } = read(attribute(asn1.sequence(asn1.sequence(id, other), policies)));
  t.strictSame(first, createHash('sha256').update(leaf.der).digest());
});

const refused: Readonly<Record<string, readonly [TimestampOverrides, RegExp]>> = {
  'no attribute': [
    { attributes: { [oids.signingCertificateV2]: undefined } },
    /it has no signing-certificate-v2$/,
  ],
  'the first version of the attribute alone': [
    {
      attributes: {
        [oids.signingCertificateV2]: undefined,
        [oids.signingCertificate]: [asn1.sequence(asn1.sequence(id))],
      },
    },
    /no signing-certificate-v2, only the old attribute/,
  ],
  'an attribute that is none': [attribute(asn1.nothing()), /signing-certificate-v2 is missing/],
  'an empty list': [attribute(asn1.sequence(asn1.sequence())), /the first .* is missing/],
  'policies of another type': [
    attribute(asn1.sequence(asn1.sequence(id), asn1.nothing())),
    /signing-certificate-v2 has unknown parts/,
  ],
  'a third part': [
    attribute(asn1.sequence(asn1.sequence(id), asn1.sequence(), asn1.sequence())),
    /signing-certificate-v2 has unknown parts/,
  ],
  'a name without a digest': [
    attribute(asn1.sequence(asn1.sequence(asn1.sequence(hashAlgorithm('sha256'))))),
    /the certificate's digest is missing/,
  ],
  'a name with more': [
    attribute(asn1.sequence(asn1.sequence(asn1.sequence(digest, asn1.sequence(), asn1.nothing())))),
    /the certificate's name has unknown parts/,
  ],
  'an issuer that is no directory name': [
    named(asn1.sequence(asn1.implicit(2, Buffer.from('clock.example'))), asn1.integer(1)),
    /the name of the issuer is missing/,
  ],
  'an issuer without a name': [
    named(asn1.sequence(), asn1.integer(1)),
    /the name of the issuer is missing/,
  ],
  'an issuer with two names': [
    named(asn1.sequence(directory, directory), asn1.integer(1)),
    /more than one name/,
  ],
  'an issuer without a serial number': [
    named(asn1.sequence(directory)),
    /the certificate's serial number is missing/,
  ],
  'an issuer with more': [
    named(asn1.sequence(directory), asn1.integer(1), asn1.nothing()),
    /more than one name/,
  ],
};

for (const [what, [overrides, message]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(overrides), { message });
  });
}

t.test('a certificate that is named by SHA-1 is refused', async (t) => {
  t.throws(() => read({ ess: { hash: 'sha1' } }), { code: 'ALGORITHM_UNSUPPORTED' });
});
