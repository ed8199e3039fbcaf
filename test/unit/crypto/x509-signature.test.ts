import { constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import { readDer } from '../../../src/crypto/der.ts';
import { verifyX509Signature } from '../../../src/crypto/x509-signature.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { testKey } from '../../support/test-keys.ts';

const signed = Buffer.from('what is signed');
const algorithm = (oid: string, ...parameters: readonly Uint8Array[]) =>
  readDer(asn1.sequence(asn1.oid(oid), ...parameters));
const ecdsaSha256 = algorithm('1.2.840.10045.4.3.2');

t.test('a signature is the one of the key, over the bytes, in DER', async (t) => {
  const key = testKey('EC-256', 'x509');
  const publicKey = createPublicKey(key);
  const signature = sign('sha256', signed, key);
  const verify = (input: Partial<Parameters<typeof verifyX509Signature>[0]>, by = publicKey) =>
    verifyX509Signature({ signed, algorithm: ecdsaSha256, signature, ...input }, by, 'it');
  t.ok(verify({}));
  t.notOk(verify({ signed: Buffer.from('something else') }));
  t.notOk(verify({ signature: signature.subarray(1) }));
  t.notOk(verify({ signature: sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }) }));
  t.notOk(verify({ algorithm: algorithm('1.2.840.10045.4.3.3') }), 'another hash');
  t.notOk(verify({}, createPublicKey(testKey('EC-256', 'stranger'))));
  t.notOk(verify({}, createPublicKey(testKey('RSA-2048', 'any'))), 'a key of another type');
});

t.test('PKCS #1 v1.5 and PSS are told apart', async (t) => {
  const key = testKey('RSA-2048', 'any');
  const rsaSha256 = algorithm('1.2.840.113549.1.1.11', asn1.nothing());
  const verify = (signature: Uint8Array) =>
    verifyX509Signature({ signed, algorithm: rsaSha256, signature }, createPublicKey(key), 'it');
  t.ok(verify(sign('sha256', signed, key)));
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  t.notOk(verify(sign('sha256', signed, { key, padding })));
});

t.test('what is signed with something else is named in the error', async (t) => {
  const publicKey = createPublicKey(testKey('RSA-2048', 'any'));
  for (const oid of ['1.2.840.113549.1.1.5', '1.2.840.113549.1.1.10']) {
    t.throws(
      () =>
        verifyX509Signature(
          { signed, algorithm: algorithm(oid), signature: signed },
          publicKey,
          'the list',
        ),
      { code: 'ALGORITHM_UNSUPPORTED', message: /^the list is signed with/ },
    );
  }
});

t.test('keys on curves that are weak, or dear to verify, are not accepted', async (t) => {
  for (const namedCurve of ['secp112r1', 'secp256k1', 'sect571r1']) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const signature = sign('sha256', signed, privateKey);
    t.throws(
      () => verifyX509Signature({ signed, algorithm: ecdsaSha256, signature }, publicKey, 'it'),
      { code: 'ALGORITHM_UNSUPPORTED', message: new RegExp(namedCurve) },
    );
  }
});
