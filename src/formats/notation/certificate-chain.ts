import { isAuthoritySignedBy, isSignedBy } from '../../crypto/certificate-signature.ts';
import { isSameBytes } from '../../crypto/same-bytes.ts';
import type { Certificate } from '../../crypto/x509.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import { quoted } from '../../kernel/quoted.ts';
import { findCaFault } from '../../trust/certificate-rules.ts';
import type { Finding } from '../signature-format.ts';
import { findLeafFault } from './certificate-rules.ts';
import { fail, pass } from '../finding.ts';

export type CertificateChain = NonEmpty<Certificate>;

/**
 * Signature Specification, Certificate Requirements: the whole chain from the signing certificate to
 * a self-signed root, in order, and nothing else. Says nothing about whom the root is trusted by.
 * Throws `EnvelopeError` for a signature algorithm that is not accepted, such as SHA-1.
 */
export function checkCertificateChain(chain: CertificateChain): Finding {
  const last = chain.length - 1;
  for (const [index, certificate] of chain.entries()) {
    const fault =
      findIssuanceFault(
        certificate,
        chain[index + 1],
        index === 0 ? isSignedBy : isAuthoritySignedBy,
      ) ??
      (index === 0 ? findLeafFault(certificate) : findCaFault(certificate, index - 1, 'critical'));
    if (fault === undefined) continue;
    const place = index === 0 ? 'signing certificate' : index === last ? 'root' : 'intermediate';
    const because = `the ${place} ${describe(certificate)} is not acceptable: ${fault}`;
    return fail('signature-invalid', because);
  }
  return pass({
    signer: chain[0].subject.text,
    root: (chain[last] ?? chain[0]).subject.text,
    certificates: String(chain.length),
  });
}

/** `issuer` is the next one; undefined for the last, which must be its own. */
function findIssuanceFault(
  certificate: Certificate,
  issuer: Certificate | undefined,
  isSigned: typeof isSignedBy,
): string | undefined {
  const isSelfIssued = isNamedIssuer(certificate, certificate);
  if (issuer === undefined) {
    if (!isSelfIssued) return 'the chain ends with it, and it is issued by another';
    return isSigned(certificate, certificate) ? undefined : 'it is not signed by its own key';
  }
  if (isSelfIssued && isSigned(certificate, certificate)) return 'it is self-signed';
  if (!isNamedIssuer(certificate, issuer)) return 'the next certificate is not its named issuer';
  if (!isSigned(certificate, issuer)) return 'the next certificate did not sign it';
  return undefined;
}

function isNamedIssuer(certificate: Certificate, issuer: Certificate): boolean {
  return isSameBytes(certificate.issuer.der, issuer.subject.der);
}

function describe({ subject }: Certificate): string {
  return quoted(subject.text, 200);
}
