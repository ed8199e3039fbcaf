import { createHash, sign } from 'node:crypto';
import * as asn1 from './der-encoder.ts';
import type { BuiltCertificate } from './test-ca.ts';
import { type CrlEntryOptions, revocationExtensions, serialOf } from './test-crl.ts';
import { encodeExtension, type TestExtension } from './test-certificate.ts';
import { spkiOf } from './test-keys.ts';

type Revocation = Omit<CrlEntryOptions, 'certificate'>;

export interface OcspAnswerOptions {
  readonly certificate: BuiltCertificate;
  /** Whom the CertID names, if not the issuer. */
  readonly issuer?: BuiltCertificate;
  /** Good unless told. */
  readonly status?: 'good' | 'unknown' | Revocation;
  readonly thisUpdate?: string;
  readonly nextUpdate?: string | 'absent';
  readonly hash?: 'sha1' | 'sha256' | 'md5';
  readonly extensions?: readonly TestExtension[];
}

export interface OcspOptions {
  readonly issuer: BuiltCertificate;
  readonly answers: readonly OcspAnswerOptions[];
  /** Who signs; the issuer unless told. */
  readonly signer?: BuiltCertificate;
  /** Who is named as the responder; the signer unless told. */
  readonly responder?: BuiltCertificate;
  readonly named?: 'by-name' | 'by-key';
  /** Sent along. */
  readonly certificates?: readonly BuiltCertificate[];
  readonly producedAt?: string;
  readonly extensions?: readonly TestExtension[];
}

const earlier = '2029-12-31T00:00:00Z';
const later = '2030-01-08T00:00:00Z';
const hashOids = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  md5: '1.2.840.113549.2.5',
} as const;

/** DER of an OCSP response (RFC 6960, 4.2) about the tests' fixed time, by an EC key. */
export function buildOcsp(options: OcspOptions): Uint8Array {
  const { issuer, signer = issuer, responder = signer, certificates = [] } = options;
  const { producedAt = earlier, extensions = [] } = options;
  const body = asn1.sequence(
    options.named === 'by-key'
      ? asn1.explicit(2, asn1.octets(keyHash('sha1', responder)))
      : asn1.explicit(1, responder.name),
    asn1.generalizedTime(producedAt),
    asn1.sequence(...options.answers.map((answer) => encodeAnswer(answer, issuer))),
    ...extensionList(1, extensions),
  );
  const signature = asn1.bits(sign('sha256', body, signer.privateKey));
  const algorithm = asn1.sequence(asn1.oid('1.2.840.10045.4.3.2'));
  const basic = asn1.sequence(
    body,
    algorithm,
    signature,
    ...(certificates.length > 0
      ? [asn1.explicit(0, asn1.sequence(...certificates.map(({ der }) => der)))]
      : []),
  );
  const bytes = asn1.sequence(asn1.oid('1.3.6.1.5.5.7.48.1.1'), asn1.octets(basic));
  return asn1.sequence(asn1.enumerated(0), asn1.explicit(0, bytes));
}

/** A response that says nothing, such as 3 for tryLater. */
export function buildOcspRefusal(status: number): Uint8Array {
  return asn1.sequence(asn1.enumerated(status));
}

function encodeAnswer(answer: OcspAnswerOptions, issuer: BuiltCertificate): Uint8Array {
  const { certificate, status = 'good', thisUpdate = earlier, nextUpdate = later } = answer;
  const { hash = 'sha1', extensions = [] } = answer;
  const named = answer.issuer ?? issuer;
  const id = asn1.sequence(
    asn1.sequence(asn1.oid(hashOids[hash]), asn1.nothing()),
    asn1.octets(createHash(hash).update(named.name).digest()),
    asn1.octets(keyHash(hash, named)),
    asn1.integer(serialOf(certificate)),
  );
  const { reason: _, ...beside } = typeof status === 'string' ? {} : status;
  return asn1.sequence(
    id,
    encodeStatus(status, thisUpdate),
    asn1.generalizedTime(thisUpdate),
    ...(nextUpdate === 'absent' ? [] : [asn1.explicit(0, asn1.generalizedTime(nextUpdate))]),
    ...extensionList(1, [...revocationExtensions(beside), ...extensions]),
  );
}

function encodeStatus(
  status: NonNullable<OcspAnswerOptions['status']>,
  thisUpdate: string,
): Uint8Array {
  if (status === 'good') return asn1.implicit(0, new Uint8Array());
  if (status === 'unknown') return asn1.implicit(2, new Uint8Array());
  const { revokedAt = thisUpdate, reason } = status;
  return asn1.der(
    0xa1,
    asn1.generalizedTime(revokedAt),
    ...(reason === undefined ? [] : [asn1.explicit(0, asn1.enumerated(reason))]),
  );
}

function extensionList(number: number, extensions: readonly TestExtension[]): Uint8Array[] {
  if (extensions.length === 0) return [];
  return [asn1.explicit(number, asn1.sequence(...extensions.map(encodeExtension)))];
}

/** Of the uncompressed point, which is the whole of an EC key's BIT STRING. */
function keyHash(hash: string, { privateKey }: BuiltCertificate): Uint8Array {
  const spki = spkiOf(privateKey);
  return createHash(hash).update(spki.subarray(-65)).digest();
}
