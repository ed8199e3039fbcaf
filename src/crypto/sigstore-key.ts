import { constants, type KeyObject, verify } from 'node:crypto';
import { isAcceptableRsa, signatureBytesOf } from './algorithms.ts';
import { childrenOf, type DerElement, derTags, expectTag, readDer } from './der.ts';
import { EnvelopeError } from './envelope-error.ts';
import type { HashName } from './hash-algorithm.ts';

/**
 * How a key signs. Ed25519 hashes by itself. Ed25519ph, with which cosign signs for a log, is not
 * accepted: OpenSSL verifies it, and node:crypto does not offer that.
 */
export type KeyAlgorithm =
  | { readonly scheme: 'ecdsa' | 'rsa-pkcs1' | 'rsa-pss'; readonly hash: HashName }
  | { readonly scheme: 'ed25519'; readonly hash: null };

const keyTypes: Readonly<Record<KeyAlgorithm['scheme'], string>> = {
  ecdsa: 'ec',
  'rsa-pkcs1': 'rsa',
  'rsa-pss': 'rsa',
  ed25519: 'ed25519',
};

const curveHashes: Readonly<Record<string, HashName>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/**
 * The algorithms that a key of that kind may sign with where nothing states one, as cosign's keys
 * and Fulcio's certificates: the curve's own hash first, then SHA-256, which cosign uses with every
 * key. Throws `EnvelopeError` for a key that is too weak, too large or of another kind.
 */
export function algorithmsOf(publicKey: KeyObject): readonly KeyAlgorithm[] {
  assertAcceptable(publicKey);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type === 'ed25519') return [{ scheme: 'ed25519', hash: null }];
  if (type === 'rsa') {
    const hashes = ['sha256', 'sha384', 'sha512'] as const;
    const schemes = ['rsa-pkcs1', 'rsa-pss'] as const;
    return schemes.flatMap((scheme) => hashes.map((hash) => ({ scheme, hash })));
  }
  const own = curveHashes[details?.namedCurve ?? ''] ?? 'sha256';
  const hashes = own === 'sha256' ? [own] : [own, 'sha256' as const];
  return hashes.map((hash) => ({ scheme: 'ecdsa', hash }));
}

/** Throws `EnvelopeError` unless the key is ECDSA on a NIST curve, RSA of 2048 to 8192 bits, or Ed25519. */
export function assertAcceptable(publicKey: KeyObject): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKey;
  const { namedCurve = '', modulusLength = 0 } = details;
  if (type === 'ed25519' || (type === 'ec' && curveHashes[namedCurve] !== undefined)) return;
  if (type === 'rsa' && isStrong(publicKey)) return;
  const what = type === 'rsa' ? ` of ${modulusLength} bits` : ` ${namedCurve}`;
  throw new EnvelopeError(
    'ALGORITHM_UNSUPPORTED',
    `a key of type ${type}${what.trimEnd()} is not accepted`,
  );
}

function isStrong({ asymmetricKeyDetails: details = {} }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = details;
  return modulusLength % 8 === 0 && isAcceptableRsa(modulusLength, publicExponent);
}

/**
 * Whether the signature is the key's over the message by that algorithm, in its one encoding:
 * ECDSA as DER of r and s (RFC 3279, section 2.2.3), RSA as long as the modulus, PSS with a salt
 * as long as the hash. Throws `EnvelopeError` for a key that is not accepted.
 */
export function verifyWithKey(
  publicKey: KeyObject,
  algorithm: KeyAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const prepared = prepare(publicKey, algorithm, signature);
  return prepared !== undefined && verify(prepared.hash, message, prepared.key, prepared.raw);
}

interface PreparedVerification {
  readonly hash: HashName | null;
  readonly key: Parameters<typeof verify>[2];
  /** The signature as node:crypto takes it. */
  readonly raw: Uint8Array;
}

/** Undefined where it can be no signature by that key and algorithm. */
function prepare(
  publicKey: KeyObject,
  { scheme, hash }: KeyAlgorithm,
  signature: Uint8Array,
): PreparedVerification | undefined {
  assertAcceptable(publicKey);
  if (publicKey.asymmetricKeyType !== keyTypes[scheme]) return undefined;
  if (scheme === 'ed25519') {
    return signature.length === 64 ? { hash, key: publicKey, raw: signature } : undefined;
  }
  const raw = scheme === 'ecdsa' ? readEcdsaSignature(publicKey, signature) : signature;
  if (raw?.length !== signatureBytesOf(publicKey)) return undefined;
  return { hash, key: toVerifyKey(publicKey, scheme), raw };
}

/** The same by any of the algorithms that the key may sign with: see `algorithmsOf`. */
export function verifyWithAny(
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return algorithmsOf(publicKey).some((algorithm) =>
    verifyWithKey(publicKey, algorithm, message, signature),
  );
}

/** The same in a thread of node's own: a large message takes long to hash. */
export async function verifyWithAnyApart(
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  for (const algorithm of algorithmsOf(publicKey)) {
    const prepared = prepare(publicKey, algorithm, signature);
    if (prepared !== undefined && (await verifyApart(prepared, message))) return true;
  }
  return false;
}

function verifyApart(
  { hash, key, raw }: PreparedVerification,
  message: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(hash, message, key, raw, (error, isValid) => {
      if (error === null) resolve(isValid);
      else reject(error);
    });
  });
}

function toVerifyKey(
  key: KeyObject,
  scheme: 'ecdsa' | 'rsa-pkcs1' | 'rsa-pss',
): Parameters<typeof verify>[2] {
  if (scheme === 'ecdsa') return { key, dsaEncoding: 'ieee-p1363' };
  if (scheme === 'rsa-pkcs1') return { key, padding: constants.RSA_PKCS1_PADDING };
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

/** r and s side by side, each as long as the curve's order; undefined where it is not their DER. */
export function readEcdsaSignature(publicKey: KeyObject, der: Uint8Array): Uint8Array | undefined {
  const width = signatureBytesOf(publicKey) / 2;
  try {
    const numbers = childrenOf(expectTag(readDer(der), derTags.sequence, 'the signature'));
    const parts = numbers.map((number) => readPositive(number, width));
    const known = parts.filter((part) => part !== undefined);
    return parts.length === 2 && known.length === 2 ? Buffer.concat(known) : undefined;
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

/** X.690, clause 8.3.2: in the fewest bytes; not negative, at most `width` bytes. */
function readPositive({ tag, content }: DerElement, width: number): Uint8Array | undefined {
  const [first = 0x80, second = 0] = content;
  if (tag !== derTags.integer || first >= 0x80) return undefined;
  const isPadded = first === 0 && content.length > 1;
  if (isPadded && second < 0x80) return undefined;
  const digits = isPadded ? content.subarray(1) : content;
  if (digits.length > width) return undefined;
  return Buffer.concat([new Uint8Array(width - digits.length), digits]);
}
