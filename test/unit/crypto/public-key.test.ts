import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { publicKeyOf, readPublicKey, readRsaPublicKey } from '../../../src/crypto/public-key.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { spkiOf, testKey } from '../../support/test-keys.ts';

const spki = spkiOf(testKey('EC-256', 'public'));
const rsa = spkiOf(testKey('RSA-2048', 'public'));
const malformed = { code: 'CERTIFICATE_MALFORMED' };

t.test('a key is read with what it is compared by', async (t) => {
  const { der, fingerprint, key } = readPublicKey(spki);
  t.strictSame(Buffer.from(der), spki);
  t.strictSame(fingerprint, createHash('sha256').update(spki).digest('hex'));
  t.strictSame(key.asymmetricKeyType, 'ec');
  const own = publicKeyOf(createPublicKey(testKey('EC-256', 'public')));
  t.strictSame(own.fingerprint, fingerprint);
});

t.test('a bare RSA key is the same key', async (t) => {
  t.strictSame(readRsaPublicKey(rsa.subarray(24)).fingerprint, readPublicKey(rsa).fingerprint);
});

t.test('another encoding of the same key is refused', async (t) => {
  const sign = (spki.at(-1) ?? 0) & 1;
  const algorithm = asn1.sequence(asn1.oid('1.2.840.10045.2.1'), asn1.oid('1.2.840.10045.3.1.7'));
  const x = spki.subarray(-64, -32);
  const compressed = asn1.sequence(
    algorithm,
    asn1.bits(Buffer.concat([Uint8Array.of(2 + sign), x])),
  );
  const message = /canonical/;
  t.throws(() => readPublicKey(compressed), { ...malformed, message });
  const withoutNull = asn1.sequence(
    asn1.sequence(asn1.oid('1.2.840.113549.1.1.1')),
    rsa.subarray(4 + 15),
  );
  t.throws(() => readPublicKey(withoutNull), { ...malformed, message });
});

t.test('what is no key is refused', async (t) => {
  const many = [Buffer.alloc(0), Buffer.from('x'), spki.subarray(1), Buffer.concat([spki, spki])];
  for (const bytes of many) t.throws(() => readPublicKey(bytes), malformed);
  t.throws(() => readRsaPublicKey(Buffer.from('x')), malformed);
  t.throws(() => readRsaPublicKey(rsa), malformed);
});

t.test('an EC key that spells its curve out is another encoding too', async (t) => {
  const { publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    paramEncoding: 'explicit',
  });
  const explicit = publicKey.export({ format: 'der', type: 'spki' });
  t.throws(() => readPublicKey(explicit), { ...malformed, message: /canonical/ });
});
