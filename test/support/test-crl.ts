import { createPublicKey, sign, X509Certificate } from 'node:crypto';
import * as asn1 from './der-encoder.ts';
import type { BuiltCertificate } from './test-ca.ts';
import { encodeExtension, type TestExtension } from './test-certificate.ts';

export interface CrlEntryOptions {
  readonly certificate: BuiltCertificate;
  /** `thisUpdate` unless told. */
  readonly revokedAt?: string;
  /** By number (RFC 5280, 5.3.1). */
  readonly reason?: number;
  readonly invalidityDate?: string;
  readonly extensions?: readonly TestExtension[];
}

export interface CrlOptions {
  readonly issuer: BuiltCertificate;
  /** Whose key signs; the issuer's unless told. */
  readonly signer?: BuiltCertificate;
  readonly revoked?: readonly (BuiltCertificate | CrlEntryOptions)[];
  readonly thisUpdate?: string;
  readonly nextUpdate?: string | 'absent';
  /** 1 unless told. */
  readonly number?: number | 'absent';
  /** Makes it a delta. */
  readonly baseNumber?: number;
  readonly freshestUrls?: readonly string[];
  /** The content of an issuingDistributionPoint. */
  readonly scope?: readonly Uint8Array[];
  readonly extensions?: readonly TestExtension[];
}

/** DER of a list of revoked certificates (RFC 5280, 5.1), signed by an issuer with an EC key. */
export function buildCrl(options: CrlOptions): Uint8Array {
  const { issuer, signer = issuer, revoked = [] } = options;
  const { thisUpdate = '2026-01-01T00:00:00Z', nextUpdate = '2049-01-01T00:00:00Z' } = options;
  if (createPublicKey(signer.privateKey).asymmetricKeyType !== 'ec') {
    throw new TypeError('the issuer of a test CRL must have an EC key');
  }
  const algorithm = asn1.sequence(asn1.oid('1.2.840.10045.4.3.2'));
  const entries = revoked.map((each) =>
    encodeEntry('certificate' in each ? each : { certificate: each }, thisUpdate),
  );
  const extensions = [...extensionsOf(options)].map(encodeExtension);
  const body = asn1.sequence(
    asn1.integer(1),
    algorithm,
    issuer.name,
    asn1.time(thisUpdate),
    ...(nextUpdate === 'absent' ? [] : [asn1.time(nextUpdate)]),
    ...(entries.length > 0 ? [asn1.sequence(...entries)] : []),
    ...(extensions.length > 0 ? [asn1.explicit(0, asn1.sequence(...extensions))] : []),
  );
  return asn1.sequence(body, algorithm, asn1.bits(sign('sha256', body, signer.privateKey)));
}

function encodeEntry(entry: CrlEntryOptions, thisUpdate: string): Uint8Array {
  const { certificate, revokedAt = thisUpdate } = entry;
  const extensions = revocationExtensions(entry).map(encodeExtension);
  return asn1.sequence(
    asn1.integer(serialOf(certificate)),
    asn1.time(revokedAt),
    ...(extensions.length > 0 ? [asn1.sequence(...extensions)] : []),
  );
}

/** What a list and an OCSP response say alike of a revocation. */
export function revocationExtensions({
  reason,
  invalidityDate,
  extensions = [],
}: Omit<CrlEntryOptions, 'certificate'>): readonly TestExtension[] {
  return [
    ...(reason === undefined ? [] : [{ oid: '2.5.29.21', value: asn1.enumerated(reason) }]),
    ...(invalidityDate === undefined
      ? []
      : [{ oid: '2.5.29.24', value: asn1.generalizedTime(invalidityDate) }]),
    ...extensions,
  ];
}

function* extensionsOf(options: CrlOptions): Generator<TestExtension> {
  const { number = 1, baseNumber, freshestUrls, scope, extensions = [] } = options;
  if (number !== 'absent') yield { oid: '2.5.29.20', value: asn1.integer(number) };
  if (baseNumber !== undefined) {
    yield { oid: '2.5.29.27', critical: true, value: asn1.integer(baseNumber) };
  }
  if (freshestUrls !== undefined) yield { oid: '2.5.29.46', value: encodePoints(freshestUrls) };
  if (scope !== undefined) {
    yield { oid: '2.5.29.28', critical: true, value: asn1.sequence(...scope) };
  }
  yield* extensions;
}

/** CRLDistributionPoints with a point for each URL. */
export function encodePoints(urls: readonly string[]): Uint8Array {
  return asn1.sequence(...urls.map((url) => asn1.sequence(pointName(url))));
}

/** `[0] DistributionPointName` with one full name. */
export function pointName(url: string): Uint8Array {
  return asn1.explicit(0, asn1.explicit(0, asn1.implicit(6, Buffer.from(url))));
}

export function serialOf({ der }: Pick<BuiltCertificate, 'der'>): Uint8Array {
  return Buffer.from(new X509Certificate(der).serialNumber, 'hex');
}
