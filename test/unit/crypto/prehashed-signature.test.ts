import { constants, createHash, createPublicKey, sign } from 'node:crypto';
import t from 'tap';
import { verifyDigestWithAny } from '../../../src/crypto/prehashed-signature.ts';
import { verifyWithKey } from '../../../src/crypto/sigstore-key.ts';
import { type KeyKind, testKey } from '../../support/test-keys.ts';

type Hash = 'sha256' | 'sha384' | 'sha512';

const message = Buffer.from('an artifact');
const hashOf = (hash: Hash, bytes: Uint8Array = message): Buffer =>
  createHash(hash).update(bytes).digest();

const kinds: readonly (readonly [KeyKind, Hash])[] = [
  ['EC-256', 'sha256'],
  ['EC-384', 'sha384'],
  ['EC-384', 'sha256'],
  ['EC-521', 'sha512'],
  ['EC-521', 'sha256'],
  ['RSA-2048', 'sha256'],
  ['RSA-3072', 'sha384'],
  ['RSA-4096', 'sha512'],
];

for (const [kind, hash] of kinds) {
  t.test(`a signature by ${kind} with ${hash} verifies over the hash alone`, async (t) => {
    const key = testKey(kind, 'prehashed');
    const publicKey = createPublicKey(key);
    const signature = sign(hash, message, key);
    t.equal(verifyDigestWithAny(publicKey, hash, hashOf(hash), signature), 'valid');
    const others: Readonly<Record<string, ReturnType<typeof verifyDigestWithAny>>> = {
      'another message': verifyDigestWithAny(
        publicKey,
        hash,
        hashOf(hash, Buffer.from('another')),
        signature,
      ),
      'the message that is verified in its place': verifyDigestWithAny(
        publicKey,
        hash,
        hashOf(hash, Buffer.from('a message of which the hash is known')),
        signature,
      ),
      'another signature': verifyDigestWithAny(
        publicKey,
        hash,
        hashOf(hash),
        sign(hash, Buffer.from('another'), key),
      ),
      'a signature that is cut off': verifyDigestWithAny(
        publicKey,
        hash,
        hashOf(hash),
        signature.subarray(1),
      ),
    };
    for (const [what, outcome] of Object.entries(others)) t.not(outcome, 'valid', what);
  });
}

t.test(
  'over the very message that is verified in its place a signature is valid too',
  async (t) => {
    const key = testKey('EC-256', 'prehashed');
    const known = Buffer.from('a message of which the hash is known');
    const signature = sign('sha256', known, key);
    const outcome = verifyDigestWithAny(
      createPublicKey(key),
      'sha256',
      hashOf('sha256', known),
      signature,
    );
    t.equal(outcome, 'valid');
  },
);

t.test('many keys and messages are judged over the hash as over the message', async (t) => {
  for (let number = 0; number < 40; number += 1) {
    const key = testKey('EC-256', `prehashed ${number}`);
    const publicKey = createPublicKey(key);
    const own = Buffer.from(`message ${number}`);
    const signature = sign('sha256', own, key);
    if (number % 2 === 1) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    const isWhole = verifyWithKey(publicKey, { scheme: 'ecdsa', hash: 'sha256' }, own, signature);
    const outcome = verifyDigestWithAny(publicKey, 'sha256', hashOf('sha256', own), signature);
    t.equal(outcome === 'valid', isWhole);
  }
});

t.test('what can not be told from a hash is said to be so', async (t) => {
  const ed25519 = testKey('Ed25519', 'prehashed');
  const digest = hashOf('sha256');
  const signed = sign(null, message, ed25519);
  t.equal(verifyDigestWithAny(createPublicKey(ed25519), 'sha256', digest, signed), 'unsupported');
  const rsa = testKey('RSA-2048', 'prehashed');
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const pss = sign('sha256', message, { key: rsa, padding });
  t.equal(verifyDigestWithAny(createPublicKey(rsa), 'sha256', digest, pss), 'unsupported');
});

t.test('a hash that the key does not sign with is refused', async (t) => {
  const key = testKey('EC-256', 'prehashed');
  const signature = sign('sha512', message, key);
  t.equal(
    verifyDigestWithAny(createPublicKey(key), 'sha512', hashOf('sha512'), signature),
    'invalid',
  );
  t.throws(
    () =>
      verifyDigestWithAny(
        createPublicKey(testKey('EC-secp256k1', 'no')),
        'sha256',
        message,
        signature,
      ),
    { code: 'ALGORITHM_UNSUPPORTED' },
  );
});

t.test('a signature of zeros is none', async (t) => {
  const publicKey = createPublicKey(testKey('EC-256', 'prehashed'));
  for (const hex of ['3006020100020100', '3006020101020100', '3006020100020101']) {
    const signature = Buffer.from(hex, 'hex');
    t.equal(verifyDigestWithAny(publicKey, 'sha256', hashOf('sha256'), signature), 'invalid');
  }
});
