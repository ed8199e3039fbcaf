import { createPublicKey, sign, X509Certificate } from 'node:crypto';
import * as asn1 from './der-encoder.ts';
import type { BuiltCertificate } from './test-ca.ts';

export interface CrlOptions {
  readonly issuer: BuiltCertificate;
  readonly revoked?: readonly BuiltCertificate[];
  readonly thisUpdate?: string;
  readonly nextUpdate?: string;
}

/** DER of a list of revoked certificates (RFC 5280, 5.1), signed by an issuer with an EC key. */
export function buildCrl(options: CrlOptions): Uint8Array {
  const { issuer, revoked = [] } = options;
  const { thisUpdate = '2026-01-01T00:00:00Z', nextUpdate = '2049-01-01T00:00:00Z' } = options;
  if (createPublicKey(issuer.privateKey).asymmetricKeyType !== 'ec') {
    throw new TypeError('the issuer of a test CRL must have an EC key');
  }
  const algorithm = asn1.sequence(asn1.oid('1.2.840.10045.4.3.2'));
  const entries = revoked.map((certificate) =>
    asn1.sequence(asn1.integer(serialOf(certificate)), asn1.time(thisUpdate)),
  );
  const number = asn1.sequence(asn1.oid('2.5.29.20'), asn1.octets(asn1.integer(1)));
  const body = asn1.sequence(
    asn1.integer(1),
    algorithm,
    issuer.name,
    asn1.time(thisUpdate),
    asn1.time(nextUpdate),
    ...(entries.length > 0 ? [asn1.sequence(...entries)] : []),
    asn1.explicit(0, asn1.sequence(number)),
  );
  return asn1.sequence(body, algorithm, asn1.bits(sign('sha256', body, issuer.privateKey)));
}

function serialOf({ der }: BuiltCertificate): Uint8Array {
  return Buffer.from(new X509Certificate(der).serialNumber, 'hex');
}
