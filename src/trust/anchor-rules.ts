import { isSignedBy } from '../crypto/certificate-signature.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import { isSameBytes } from '../crypto/same-bytes.ts';
import type { Certificate } from '../crypto/x509.ts';
import type { NotationStoreType } from '../verdict/identity-requirement.ts';

/**
 * Why a certificate may not be in a store of that type (Trust Store and Trust Policy
 * specification, Trust Store): it must be of a CA or self-signed, for tsa a root.
 */
export function refusalOfAnchor(
  certificate: Certificate,
  type: NotationStoreType,
): string | undefined {
  const isCa = certificate.basicConstraints?.isCa === true;
  if (type === 'tsa') {
    return isCa && isSelfSigned(certificate) ? undefined : 'is no self-signed root certificate';
  }
  return isCa || isSelfSigned(certificate)
    ? undefined
    : 'is neither of a certificate authority nor self-signed';
}

function isSelfSigned(certificate: Certificate): boolean {
  if (!isSameBytes(certificate.subject.der, certificate.issuer.der)) return false;
  try {
    return isSignedBy(certificate, certificate);
  } catch (error) {
    // An algorithm that is not accepted proves nothing.
    if (error instanceof EnvelopeError) return false;
    throw error;
  }
}
