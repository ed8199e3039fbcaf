import { constants, type KeyObject, verify } from 'node:crypto';
import { EnvelopeError } from './envelope-error.ts';

/** The algorithms that the Notary Project allows, by their names in JWS (RFC 7518, section 3.1). */
export const signatureAlgorithms = ['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

type Hash = 'sha256' | 'sha384' | 'sha512';

const hashes: Readonly<Record<SignatureAlgorithm, Hash>> = {
  PS256: 'sha256',
  PS384: 'sha384',
  PS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
};

const byModulusBits: Readonly<Record<number, SignatureAlgorithm>> = {
  2048: 'PS256',
  3072: 'PS384',
  4096: 'PS512',
};

const byCurve: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

const curveBytes: Readonly<Record<string, number>> = {
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
};

const minRsaBits = 2048;
const maxRsaBits = 8192;

/** Whether an RSA key is neither weak nor many times as dear to verify as others. */
export function isAcceptableRsa(bits: number, exponent: bigint): boolean {
  return bits >= minRsaBits && bits <= maxRsaBits && isSoundExponent(exponent);
}

/**
 * Whether an RSA key's exponent is odd and within FIPS 186-5's upper bound (section A.1.1). With 1
 * everybody can sign; one as long as the modulus makes a stranger's signature a hundred times as
 * dear to verify.
 */
function isSoundExponent(exponent: bigint): boolean {
  return exponent >= 3n && exponent % 2n === 1n && exponent < 2n ** 256n;
}

/**
 * The one algorithm that a key signs with (Notary Project, Signature Specification, Algorithm
 * Selection). It follows from the key, never from what an envelope claims.
 */
export function signatureAlgorithmOf(publicKey: KeyObject): SignatureAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKey;
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = details;
  const algorithm = type === 'rsa' ? byModulusBits[modulusLength] : byCurve[namedCurve];
  const isSound = type === 'ec' || (type === 'rsa' && isSoundExponent(publicExponent));
  if (algorithm === undefined || !isSound) {
    const size = type === 'rsa' ? ` of ${modulusLength} bits` : ` ${namedCurve}`;
    throw new EnvelopeError(
      'ALGORITHM_UNSUPPORTED',
      `no signature algorithm is allowed for a key of type ${type}${size.trimEnd()}`,
    );
  }
  return algorithm;
}

/**
 * Bytes of a signature by the key: of the modulus (RFC 8017, section 8.1.2), or of r and s. OpenSSL
 * takes a shorter one for RSA, so that two signatures would be one.
 */
export function signatureBytesOf({ asymmetricKeyDetails: details = {} }: KeyObject): number {
  const { modulusLength, namedCurve = '' } = details;
  return modulusLength === undefined ? (curveBytes[namedCurve] ?? 0) * 2 : modulusLength / 8;
}

/**
 * Whether the signature is the key's over the message. ECDSA signatures are r and s side by side
 * (RFC 7518, section 3.4; RFC 9053, section 2.1); PSS salts are as long as the hash.
 */
export function verifySignature(
  algorithm: SignatureAlgorithm,
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  // Never without a hash: node:crypto would take one of its own.
  const hash = hashes[algorithm];
  if (signatureAlgorithmOf(publicKey) !== algorithm) return false;
  if (signature.length !== signatureBytesOf(publicKey)) return false;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  const key = algorithm.startsWith('PS')
    ? { key: publicKey, padding, saltLength }
    : { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
  return verify(hash, message, key, signature);
}
