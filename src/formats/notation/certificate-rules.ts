import type { Certificate, KeyUsageBit } from '../../crypto/x509.ts';

const forbiddenKeyUsages: readonly KeyUsageBit[] = [
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

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
  if (certificate.basicConstraints?.isCa === true) return 'it is a CA';
  const keyUsageFault = findKeyUsageFault(certificate, 'digitalSignature');
  if (keyUsageFault !== undefined) return keyUsageFault;
  const usage = forbiddenKeyUsages.find((bit) => certificate.keyUsage?.bits.has(bit));
  if (usage !== undefined) return `its key usage has ${usage}`;
  const purpose = certificate.extendedKeyUsage?.purposes.find((oid) => forbiddenPurposes.has(oid));
  if (purpose === undefined) return undefined;
  return `its extended key usage has ${forbiddenPurposes.get(purpose)}`;
}

/**
 * The rule for a CA that this one breaks (Signature Specification, Root and Intermediate CA
 * Certificates); `casBelow` are those between it and the leaf.
 */
export function findCaFault(certificate: Certificate, casBelow: number): string | undefined {
  const { basicConstraints } = certificate;
  if (basicConstraints === undefined) return 'it has no basic constraints';
  if (!basicConstraints.critical) return 'its basic constraints are not critical';
  if (!basicConstraints.isCa) return 'it is no CA';
  const { pathLength } = basicConstraints;
  if (pathLength !== undefined && pathLength < casBelow) {
    return `its path length is ${pathLength} and ${casBelow} CAs are below it`;
  }
  return findKeyUsageFault(certificate, 'keyCertSign');
}

function findKeyUsageFault({ keyUsage }: Certificate, needed: KeyUsageBit): string | undefined {
  if (keyUsage === undefined) return 'it has no key usage';
  if (!keyUsage.critical) return 'its key usage is not critical';
  return keyUsage.bits.has(needed) ? undefined : `its key usage lacks ${needed}`;
}
