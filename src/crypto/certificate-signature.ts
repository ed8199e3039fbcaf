import { oncePer } from '../kernel/once.ts';
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

const issuances = oncePer((certificate: Certificate) =>
  oncePer((issuer: Certificate) => isSignedBy(certificate, issuer)),
);

/**
 * The same, worked out once for as long as both are remembered: the few authorities that a site
 * trusts stand in the chains of all its signers.
 */
export function isAuthoritySignedBy(authority: Certificate, issuer: Certificate): boolean {
  return issuances(authority)(issuer);
}
