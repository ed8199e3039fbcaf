import type { Certificate, KeyUsageBit } from '../crypto/x509.ts';

/** Whether the key usage of a certificate must be critical, or only should be. */
export type KeyUsageRule = 'critical' | 'present';

const forbiddenKeyUsages: readonly KeyUsageBit[] = [
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/**
 * The rule that this certificate breaks as one whose key signs what is no certificate (Notary
 * Project, Signature Specification, Leaf Certificates); its purposes are another rule.
 */
export function findEndEntityFault(
  certificate: Certificate,
  rule: KeyUsageRule,
): string | undefined {
  if (certificate.basicConstraints?.isCa === true) return 'it is a CA';
  const fault = findKeyUsageFault(certificate, 'digitalSignature', rule);
  if (fault !== undefined) return fault;
  const usage = forbiddenKeyUsages.find((bit) => certificate.keyUsage?.bits.has(bit));
  return usage === undefined ? undefined : `its key usage has ${usage}`;
}

/**
 * The rule for a CA that this one breaks (the same, Root and Intermediate CA Certificates);
 * `casBelow` are those between it and the leaf.
 */
export function findCaFault(
  certificate: Certificate,
  casBelow: number,
  rule: KeyUsageRule,
): string | undefined {
  const { basicConstraints } = certificate;
  if (basicConstraints === undefined) return 'it has no basic constraints';
  if (!basicConstraints.critical) return 'its basic constraints are not critical';
  if (!basicConstraints.isCa) return 'it is no CA';
  const { pathLength } = basicConstraints;
  if (pathLength !== undefined && pathLength < casBelow) {
    return `its path length is ${pathLength} and ${casBelow} CAs are below it`;
  }
  return findKeyUsageFault(certificate, 'keyCertSign', rule);
}

function findKeyUsageFault(
  { keyUsage }: Certificate,
  needed: KeyUsageBit,
  rule: KeyUsageRule,
): string | undefined {
  if (keyUsage === undefined) return 'it has no key usage';
  if (rule === 'critical' && !keyUsage.critical) return 'its key usage is not critical';
  return keyUsage.bits.has(needed) ? undefined : `its key usage lacks ${needed}`;
}

/** RFC 5280, section 4.1.2.5: the validity includes both its ends. */
export function isValidAt({ notBefore, notAfter }: Certificate, instant: Date): boolean {
  return notBefore <= instant && instant <= notAfter;
}
