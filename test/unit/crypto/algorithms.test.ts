import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import t from 'tap';
import {
  signatureAlgorithmOf,
  signatureAlgorithms,
  verifySignature,
} from '../../../src/crypto/algorithms.ts';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import { signBytes } from '../../support/sign-bytes.ts';
import { type KeyKind, keyKindOf, testKey } from '../../support/test-keys.ts';

const message = Buffer.from('what is signed');
const publicOf = (key: KeyObject): KeyObject => createPublicKey(key);

for (const algorithm of signatureAlgorithms) {
  const key = testKey(keyKindOf(algorithm), 'signer');

  t.test(`the key for ${algorithm} signs with it and no other`, async (t) => {
    t.equal(signatureAlgorithmOf(publicOf(key)), algorithm);
    const signature = signBytes(algorithm, key, message);
    for (const claimed of signatureAlgorithms) {
      const holds = verifySignature(claimed, publicOf(key), message, signature);
      t.equal(holds, claimed === algorithm, claimed);
    }
  });

  t.test(`a signature by ${algorithm} with a flipped bit does not hold`, async (t) => {
    const signature = signBytes(algorithm, key, message);
    const other = Buffer.from(message);
    other[0] = (other[0] ?? 0) ^ 1;
    t.notOk(verifySignature(algorithm, publicOf(key), other, signature));
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    t.notOk(verifySignature(algorithm, publicOf(key), message, signature));
    t.notOk(verifySignature(algorithm, publicOf(key), message, new Uint8Array()));
  });
}

t.test('an ECDSA signature in DER does not hold', async (t) => {
  const key = testKey('EC-256', 'signer');
  const signature = sign('sha256', message, { key, dsaEncoding: 'der' });
  t.notOk(verifySignature('ES256', publicOf(key), message, signature));
});

t.test(
  'a signature that is a byte longer or shorter than its key makes them does not hold',
  async (t) => {
    for (const algorithm of signatureAlgorithms) {
      const key = testKey(keyKindOf(algorithm), 'signer');
      const signature = signBytes(algorithm, key, message);
      for (const other of [signature.subarray(1), signature.subarray(0, -1)]) {
        t.notOk(verifySignature(algorithm, publicOf(key), message, other), algorithm);
      }
      const padded = Buffer.concat([Buffer.alloc(1), signature]);
      t.notOk(verifySignature(algorithm, publicOf(key), message, padded), algorithm);
    }
  },
);

t.test('an RSA signature without its leading zero byte does not hold', async (t) => {
  const key = testKey('RSA-2048', 'signer');
  let signature = signBytes('PS256', key, message);
  // One salt in 256 gives such a signature.
  while (signature[0] !== 0) signature = signBytes('PS256', key, message);
  t.ok(verifySignature('PS256', publicOf(key), message, signature));
  t.notOk(verifySignature('PS256', publicOf(key), message, signature.subarray(1)));
});

t.test('a PSS signature with another salt length does not hold', async (t) => {
  const key = testKey('RSA-2048', 'signer');
  const padding = 6;
  for (const saltLength of [0, 20, 64]) {
    const signature = sign('sha256', message, { key, padding, saltLength });
    t.notOk(verifySignature('PS256', publicOf(key), message, signature), String(saltLength));
  }
});

t.test('an RSA signature with PKCS #1 v1.5 padding does not hold', async (t) => {
  const key = testKey('RSA-2048', 'signer');
  t.notOk(verifySignature('PS256', publicOf(key), message, sign('sha256', message, key)));
});

const refused: readonly KeyKind[] = ['RSA-1024', 'EC-secp256k1', 'Ed25519'];
for (const kind of refused) {
  t.test(`a key of kind ${kind} has no algorithm`, async (t) => {
    const key = publicOf(testKey(kind, 'signer'));
    t.throws(() => signatureAlgorithmOf(key), EnvelopeError);
    t.throws(() => signatureAlgorithmOf(key), { code: 'ALGORITHM_UNSUPPORTED' });
  });
}

t.test('a key that is bound to RSASSA-PSS by its type has no algorithm', async (t) => {
  const { publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  t.throws(() => signatureAlgorithmOf(publicKey), { code: 'ALGORITHM_UNSUPPORTED' });
});

t.test('an RSA key with a bad exponent has no algorithm', async (t) => {
  const { n = '' } = publicOf(testKey('RSA-2048', 'signer')).export({ format: 'jwk' });
  const withExponent = (bytes: readonly number[]): KeyObject => {
    const e = Buffer.from(bytes).toString('base64url');
    return createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
  };
  const many = (count: number): readonly number[] => [...Buffer.alloc(count, 0xff)];
  t.equal(signatureAlgorithmOf(withExponent([3])), 'PS256');
  t.equal(signatureAlgorithmOf(withExponent(many(32))), 'PS256');
  const bad = {
    one: [1],
    even: [1, 0],
    'of 257 bits': [1, ...many(32)],
    'as long as n': many(255),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    const key = withExponent(bytes);
    t.throws(() => signatureAlgorithmOf(key), { code: 'ALGORITHM_UNSUPPORTED' }, name);
  }
});

t.test(
  'a signature that is sound for another algorithm than the key has does not hold',
  async (t) => {
    const rsa = testKey('RSA-2048', 'signer');
    t.notOk(verifySignature('ES256', publicOf(rsa), message, sign('sha256', message, rsa)));
    t.notOk(verifySignature('PS512', publicOf(rsa), message, signBytes('PS512', rsa, message)));
    const p384 = testKey('EC-384', 'signer');
    t.notOk(verifySignature('ES256', publicOf(p384), message, signBytes('ES256', p384, message)));
  },
);
