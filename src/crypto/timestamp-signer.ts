import { findSignatureFault, type IssuerAndSerial } from './cms-signer.ts';
import { isHashOf } from './hash-algorithm.ts';
import { isSameBytes } from './same-bytes.ts';
import type { TimestampToken } from './timestamp-token.ts';
import type { Certificate } from './x509.ts';

export type TimestampSigner =
  | { readonly kind: 'found'; readonly certificate: Certificate }
  | { readonly kind: 'none'; readonly because: string };

/**
 * The certificate whose key signed the token, from among its own and those that are `known`
 * otherwise. It is the one that the signed attribute names by its hash: names and serial numbers
 * are whatever a stranger writes into a certificate of the bag (CVE-2026-39984). Says nothing about
 * trust. Throws `EnvelopeError` for algorithms that are not accepted.
 */
export function findTimestampSigner(
  token: TimestampToken,
  known: readonly Certificate[] = [],
): TimestampSigner {
  const { certificateId, data, signer } = token;
  const certificate = [...data.certificates, ...known].find(({ der }) =>
    isHashOf(certificateId.hash, certificateId.digest, der),
  );
  if (certificate === undefined) return none("its signer's certificate is not there");
  const { issuerAndSerial: signedName } = certificateId;
  if (signedName !== undefined && !isNameOf(signedName, certificate)) {
    return none('the signed attribute names another certificate than it has the hash of');
  }
  if (!isNameOf(signer.id, certificate)) {
    return none('it names another signer than the signed attribute');
  }
  const fault = findSignatureFault(signer, data, certificate);
  return fault === undefined ? { kind: 'found', certificate } : none(fault);
}

function isNameOf({ issuer, serialNumber }: IssuerAndSerial, certificate: Certificate): boolean {
  return (
    isSameBytes(issuer, certificate.issuer.der) &&
    isSameBytes(serialNumber, certificate.serialNumber)
  );
}

function none(because: string): TimestampSigner {
  return { kind: 'none', because };
}
