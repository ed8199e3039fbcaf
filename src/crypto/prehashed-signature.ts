import {
  constants,
  createECDH,
  createHash,
  createPublicKey,
  type KeyObject,
  publicDecrypt,
  verify,
} from 'node:crypto';
import { signatureBytesOf } from './algorithms.ts';
import type { HashName } from './hash-algorithm.ts';
import { algorithmsOf, readEcdsaSignature } from './sigstore-key.ts';

/** `unsupported`: keys of this kind sign in ways that can't be told from the hash of what they sign. */
export type DigestVerification = 'valid' | 'invalid' | 'unsupported';

/**
 * Whether the signature is the key's over a message of which only the hash is at hand: ECDSA, and
 * RSA by PKCS #1 v1.5. Where it is not one of these by an RSA key it may still be one by PSS.
 * Throws `EnvelopeError` for a key that is not accepted.
 */
export function verifyDigestWithAny(
  publicKey: KeyObject,
  hash: HashName,
  digest: Uint8Array,
  signature: Uint8Array,
): DigestVerification {
  const known = algorithmsOf(publicKey).filter((algorithm) => algorithm.hash === hash);
  if (publicKey.asymmetricKeyType === 'ed25519') return 'unsupported';
  const schemes = known.map(({ scheme }) => scheme);
  if (schemes.includes('ecdsa')) {
    return isEcdsaOver(publicKey, hash, digest, signature) ? 'valid' : 'invalid';
  }
  if (!schemes.includes('rsa-pkcs1')) return 'invalid';
  return isPkcs1Over(publicKey, hash, digest, signature) ? 'valid' : 'unsupported';
}

interface Curve {
  readonly jwk: string;
  /** Of the field. */
  readonly prime: bigint;
  /** Of the base point. */
  readonly order: bigint;
}

// FIPS 186-4, section D.1.2.
const curves: Readonly<Record<string, Curve>> = {
  prime256v1: {
    jwk: 'P-256',
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  secp384r1: {
    jwk: 'P-384',
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  secp521r1: {
    jwk: 'P-521',
    prime: 2n ** 521n - 1n,
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};

const knownMessage = Buffer.from('a message of which the hash is known');

/**
 * node:crypto hashes by itself. By the equation of ECDSA (FIPS 186-4, section 6.4), in which G is
 * the base point and Q the key, (r, s) is Q's signature over the hash e exactly if it is one over
 * the hash k by the key Q + ((e - k) / r) G: so that is verified, over a message with the hash k.
 */
function isEcdsaOver(
  publicKey: KeyObject,
  hash: HashName,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const name = publicKey.asymmetricKeyDetails?.namedCurve ?? '';
  const curve = curves[name];
  const raw = readEcdsaSignature(publicKey, signature);
  if (curve === undefined || raw === undefined) return false;
  const r = toNumber(raw.subarray(0, raw.length / 2));
  if (r === 0n || r >= curve.order) return false;
  const known = toNumber(createHash(hash).update(knownMessage).digest());
  const difference = modulo(toNumber(digest) - known, curve.order);
  const factor = modulo(difference * inverse(r, curve.order), curve.order);
  const key = factor === 0n ? publicKey : addMultiple(publicKey, name, curve, factor);
  if (key === undefined) return false;
  return verify(hash, knownMessage, { key, dsaEncoding: 'ieee-p1363' }, raw);
}

/** The key plus so many times the base point; undefined where that is no sum of different points. */
function addMultiple(
  publicKey: KeyObject,
  name: string,
  { jwk: crv, prime }: Curve,
  factor: bigint,
): KeyObject | undefined {
  const width = signatureBytesOf(publicKey) / 2;
  const multiple = createECDH(name);
  multiple.setPrivateKey(toBytes(factor, width));
  // Uncompressed: 4, x and y.
  const point = multiple.getPublicKey();
  const [x1, y1] = [point.subarray(1, 1 + width), point.subarray(1 + width)].map(toNumber);
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const [x2, y2] = [x, y].map((text) => toNumber(Buffer.from(text, 'base64url')));
  if (x1 === undefined || y1 === undefined || x2 === undefined || y2 === undefined || x1 === x2) {
    return undefined;
  }
  const slope = modulo((y2 - y1) * inverse(modulo(x2 - x1, prime), prime), prime);
  const x3 = modulo(slope * slope - x1 - x2, prime);
  const y3 = modulo(slope * (x1 - x3) - y1, prime);
  const [encodedX, encodedY] = [x3, y3].map((each) => toBytes(each, width).toString('base64url'));
  if (encodedX === undefined || encodedY === undefined) return undefined;
  return createPublicKey({ key: { kty: 'EC', crv, x: encodedX, y: encodedY }, format: 'jwk' });
}

// DER of DigestInfo up to the hash (RFC 8017, section 9.2, note 1).
const digestInfoHeads: Readonly<Record<HashName, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

function isPkcs1Over(
  key: KeyObject,
  hash: HashName,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== signatureBytesOf(key)) return false;
  let info: Buffer;
  try {
    info = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    // The padding is not as it must be: OpenSSL says no more, and there is no other cause.
    return false;
  }
  return info.equals(Buffer.concat([digestInfoHeads[hash], digest]));
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function toBytes(number: bigint, width: number): Buffer {
  return Buffer.from(number.toString(16).padStart(width * 2, '0'), 'hex');
}

function modulo(number: bigint, modulus: bigint): bigint {
  const rest = number % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** Euclid's algorithm; the modulus is prime and the number is not 0. */
function inverse(number: bigint, modulus: bigint): bigint {
  let [a, b] = [modulus, number];
  let [x, y] = [0n, 1n];
  while (b > 1n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return modulo(y, modulus);
}
