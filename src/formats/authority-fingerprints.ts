import type { Certificate } from '../crypto/x509.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';

/**
 * SHA-256 of every certificate above the leaf, the anchor included, and of their keys: a CA may have
 * several certificates over one key.
 */
export function authorityFingerprintsOf([
  ,
  ...authorities
]: NonEmpty<Certificate>): readonly string[] {
  return authorities.flatMap((each) => [each.fingerprint, each.keyFingerprint]);
}
