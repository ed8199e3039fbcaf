import type { Certificate } from '../../crypto/x509.ts';
import { findEndEntityFault } from '../../trust/certificate-rules.ts';

// The specification's list and OCSPSigning, which the reference implementation refuses in its place
// of anyExtendedKeyUsage.
const forbiddenPurposes: ReadonlyMap<string, string> = new Map([
  ['2.5.29.37.0', 'anyExtendedKeyUsage'],
  ['1.3.6.1.5.5.7.3.1', 'serverAuth'],
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
  ['1.3.6.1.5.5.7.3.4', 'emailProtection'],
  ['1.3.6.1.5.5.7.3.8', 'timeStamping'],
  ['1.3.6.1.5.5.7.3.9', 'OCSPSigning'],
]);

/** The rule for a signing certificate that this one breaks (Signature Specification, Leaf Certificates). */
export function findLeafFault(certificate: Certificate): string | undefined {
  const fault = findEndEntityFault(certificate, 'critical');
  if (fault !== undefined) return fault;
  const purpose = certificate.extendedKeyUsage?.purposes.find((oid) => forbiddenPurposes.has(oid));
  if (purpose === undefined) return undefined;
  return `its extended key usage has ${forbiddenPurposes.get(purpose)}`;
}
