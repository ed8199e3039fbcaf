import { constants, createPublicKey, type KeyObject, sign } from 'node:crypto';
import t from 'tap';
import {
  algorithmsOf,
  assertAcceptable,
  type KeyAlgorithm,
  verifyWithAny,
  verifyWithKey,
} from '../../../src/crypto/sigstore-key.ts';
import { der, integer, sequence } from '../../support/der-encoder.ts';
import { type KeyKind, testKey } from '../../support/test-keys.ts';

const message = Buffer.from('message');
const publicOf = (kind: KeyKind, name = 'sigstore'): KeyObject =>
  createPublicKey(testKey(kind, name));

function signWith(kind: KeyKind, { scheme, hash }: KeyAlgorithm, name = 'sigstore'): Buffer {
  const key = testKey(kind, name);
  if (scheme !== 'rsa-pss') return sign(hash, message, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return sign(hash, message, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

const kinds = {
  'EC-256': ['ecdsa sha256'],
  'EC-384': ['ecdsa sha384', 'ecdsa sha256'],
  'EC-521': ['ecdsa sha512', 'ecdsa sha256'],
  'RSA-2048': [
    'rsa-pkcs1 sha256',
    'rsa-pkcs1 sha384',
    'rsa-pkcs1 sha512',
    'rsa-pss sha256',
    'rsa-pss sha384',
    'rsa-pss sha512',
  ],
  Ed25519: ['ed25519 null'],
} as const satisfies Partial<Record<KeyKind, readonly string[]>>;

for (const [name, expected] of Object.entries(kinds)) {
  t.test(`a key ${name} signs by ${expected.join(', ')}`, async (t) => {
    const kind = name as keyof typeof kinds;
    const algorithms = algorithmsOf(publicOf(kind));
    t.same(
      algorithms.map(({ scheme, hash }) => `${scheme} ${hash}`),
      expected,
    );
    for (const algorithm of algorithms) {
      const signature = signWith(kind, algorithm);
      t.ok(verifyWithKey(publicOf(kind), algorithm, message, signature), algorithm.scheme);
      t.ok(verifyWithAny(publicOf(kind), message, signature));
      t.notOk(verifyWithAny(publicOf(kind), Buffer.from('other'), signature));
      t.notOk(verifyWithAny(publicOf(kind === 'EC-256' ? 'EC-384' : 'EC-256'), message, signature));
    }
  });
}

t.test('a signature by another hash or scheme than told is none', async (t) => {
  const key = publicOf('RSA-2048');
  const pss: KeyAlgorithm = { scheme: 'rsa-pss', hash: 'sha256' };
  t.notOk(verifyWithKey(key, { ...pss, hash: 'sha384' }, message, signWith('RSA-2048', pss)));
  t.notOk(verifyWithKey(key, { ...pss, scheme: 'rsa-pkcs1' }, message, signWith('RSA-2048', pss)));
  t.notOk(verifyWithKey(key, { scheme: 'ed25519', hash: null }, message, Buffer.alloc(64)));
});

t.test('a PSS salt of another length than the hash is none', async (t) => {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const key = testKey('RSA-2048', 'sigstore');
  const signature = sign('sha256', message, { key, padding, saltLength: 20 });
  t.notOk(verifyWithAny(publicOf('RSA-2048'), message, signature));
});

const ecdsa: KeyAlgorithm = { scheme: 'ecdsa', hash: 'sha256' };
const key = testKey('EC-256', 'sigstore');
const [r, s] = ((): [Buffer, Buffer] => {
  const raw = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
  return [raw.subarray(0, 32), raw.subarray(32)];
})();
/** A positive INTEGER in the fewest bytes. */
const positive = (bytes: Uint8Array): Uint8Array => {
  const from = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(from);
  return integer((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), digits]) : digits);
};
const pair = sequence(positive(r), positive(s));
const padded = (bytes: Uint8Array): Uint8Array =>
  integer(Buffer.concat([Buffer.alloc(2), Buffer.from(bytes)]));

const otherSpellings: Readonly<Record<string, Uint8Array>> = {
  'r and s side by side': Buffer.concat([r, s]),
  'zeros before r': sequence(padded(r), positive(s)),
  'a byte behind it': Buffer.concat([pair, Uint8Array.of(0)]),
  'a third number': sequence(positive(r), positive(s), integer(1)),
  'one number': sequence(positive(r)),
  'a long form of its length': Buffer.concat([
    Uint8Array.of(0x30, 0x81, pair.length - 2),
    pair.subarray(2),
  ]),
  'an octet string for r': sequence(der(0x04, r), positive(s)),
  'an empty number': sequence(integer(new Uint8Array()), positive(s)),
  'a negative number': sequence(integer(Uint8Array.of(0xff)), positive(s)),
  'a number longer than the curve': sequence(integer(Buffer.alloc(40, 1)), positive(s)),
  'zero for r': sequence(integer(0), positive(s)),
  'zero for both': sequence(integer(0), integer(0)),
  nothing: new Uint8Array(),
};

t.test('an ECDSA signature has one encoding', async (t) => {
  const publicKey = createPublicKey(key);
  t.ok(verifyWithKey(publicKey, ecdsa, message, pair));
  for (const [what, spelling] of Object.entries(otherSpellings)) {
    t.notOk(verifyWithKey(publicKey, ecdsa, message, spelling), what);
  }
});

t.test('an RSA signature is as long as the modulus', async (t) => {
  const pkcs1: KeyAlgorithm = { scheme: 'rsa-pkcs1', hash: 'sha256' };
  const signature = signWith('RSA-2048', pkcs1);
  const longer = Buffer.concat([Uint8Array.of(0), signature]);
  t.notOk(verifyWithKey(publicOf('RSA-2048'), pkcs1, message, longer));
  t.notOk(verifyWithKey(publicOf('RSA-2048'), pkcs1, message, signature.subarray(1)));
});

t.test('weak and strange keys are refused', async (t) => {
  for (const kind of ['RSA-1024', 'EC-secp256k1'] as const) {
    t.throws(() => assertAcceptable(publicOf(kind)), { code: 'ALGORITHM_UNSUPPORTED' }, kind);
    t.throws(() => algorithmsOf(publicOf(kind)), { code: 'ALGORITHM_UNSUPPORTED' });
    t.throws(() => verifyWithKey(publicOf(kind), ecdsa, message, pair), {
      code: 'ALGORITHM_UNSUPPORTED',
    });
  }
});
