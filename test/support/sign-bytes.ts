import { constants, type KeyObject, sign } from 'node:crypto';
import type { SignatureAlgorithm } from './test-keys.ts';

/**
 * The signature as JOSE and COSE want it: r||s for ECDSA (RFC 7518, 3.4; RFC 9053, 2.1), PSS with
 * a salt as long as the hash (RFC 7518, 3.5; RFC 8230, 2).
 */
export function signBytes(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  bytes: Uint8Array,
): Buffer {
  const hash = `sha${algorithm.slice(2)}`;
  if (key.asymmetricKeyType === 'ed25519') return sign(null, bytes, key);
  if (key.asymmetricKeyType === 'rsa') {
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  }
  return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
}
