import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { findTimestampSigner } from '../../../src/crypto/timestamp-signer.ts';
import { readTimestampToken } from '../../../src/crypto/timestamp-token.ts';
import * as asn1 from '../../support/der-encoder.ts';
import {
  issuerAndSerial,
  type TimestampOverrides,
  timestampToken,
} from '../../support/sign-timestamp.ts';
import { makeAuthority } from '../../support/test-authority.ts';

const authority = makeAuthority();
const { leaf } = authority;
/** Of the same name, by another key. */
const stranger = makeAuthority({ leaf: { signedBy: 'stranger' } });
const forged = makeAuthority({ authority: 'stranger' });

const find = (overrides: TimestampOverrides = {}, known: readonly Uint8Array[] = []) =>
  findTimestampSigner(
    readTimestampToken(timestampToken(Buffer.from('hello'), { authority, ...overrides })),
    known.map(readCertificate),
  );
const found = { kind: 'found', certificate: { fingerprint: leaf.fingerprint } } as const;

t.test('the signer is found by its hash, wherever it lies in the bag', async (t) => {
  const issuers = authority.ders.slice(1);
  const bags: Readonly<Record<string, readonly Uint8Array[]>> = {
    first: authority.ders,
    last: [...issuers, leaf.der],
    'behind a forged one': [forged.leaf.der, ...authority.ders],
    'behind one of its name and issuer': [stranger.leaf.der, ...authority.ders],
    'behind many': [...Array.from({ length: 12 }, () => forged.leaf.der), ...authority.ders],
    twice: [leaf.der, ...authority.ders],
  };
  for (const [where, certificates] of Object.entries(bags)) {
    t.match(find({ certificates }), found, where);
  }
});

t.test('a certificate with the same issuer and serial number is not taken for it', async (t) => {
  // The same certificate but for its signature, which the serial number does not depend on.
  const twin = Buffer.from(leaf.der);
  twin[twin.length - 1] = (twin.at(-1) ?? 0) ^ 1;
  t.strictSame(readCertificate(twin).serialNumber, readCertificate(leaf.der).serialNumber);
  t.match(find({ certificates: [twin, ...authority.ders] }), found);
  t.match(find({ certificates: [twin] }), { kind: 'none', because: /certificate is not there/ });
});

t.test('a certificate that is known otherwise need not be in the token', async (t) => {
  const none = { kind: 'none', because: "its signer's certificate is not there" } as const;
  t.strictSame(find({ certificates: 'absent' }), none);
  t.match(find({ certificates: 'absent' }, [leaf.der]), found);
  t.strictSame(find({ certificates: 'absent' }, [forged.leaf.der]), none);
});

t.test('issuer and serial number may be left to the unsigned name', async (t) => {
  t.match(find({ ess: { name: 'absent' } }), found);
});

t.test('whoever is named in one place is named in all', async (t) => {
  t.match(find({ ess: { name: forged.leaf } }), {
    kind: 'none',
    because: /the signed attribute names another certificate/,
  });
  const elsewhere: TimestampOverrides = {
    signer: (parts) => parts.with(1, issuerAndSerial(forged.leaf)),
  };
  const otherSerial: TimestampOverrides = {
    signer: (parts) =>
      parts.with(1, asn1.sequence(authority.certificates[1]?.name ?? leaf.name, asn1.integer(5))),
  };
  const otherIssuer: TimestampOverrides = {
    signer: (parts) =>
      parts.with(
        1,
        asn1.sequence(
          forged.certificates[1]?.name ?? leaf.name,
          asn1.integer(readCertificate(leaf.der).serialNumber),
        ),
      ),
  };
  for (const overrides of [elsewhere, otherSerial, otherIssuer]) {
    t.match(find(overrides), { kind: 'none', because: /names another signer/ });
  }
  t.match(
    find({ ess: { of: forged.leaf.der }, certificates: [...authority.ders, forged.leaf.der] }),
    {
      kind: 'none',
      because: /names another certificate/,
    },
  );
});

t.test("a signature by another key is not the signer's", async (t) => {
  t.match(find({ signWith: forged.privateKey }), { kind: 'none', because: /does not verify/ });
});
