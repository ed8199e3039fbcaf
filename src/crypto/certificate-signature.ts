import { partsOfCertificate } from './certificate.ts';
import type { Certificate } from './x509.ts';
import { verifyX509Signature } from './x509-signature.ts';

/**
 * Whether the issuer's key made the signature on the certificate; names are not looked at. Throws
 * `EnvelopeError` for an algorithm or a key that is too weak or not known.
 */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { signed, algorithm, signature } = partsOfCertificate(certificate.der);
  const { publicKey } = issuer;
  return verifyX509Signature(
    { signed: signed.bytes, algorithm, signature },
    publicKey,
    'a certificate',
  );
}
