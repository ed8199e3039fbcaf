import { createHash } from 'node:crypto';
import { forgetOldest } from '../kernel/bounded.ts';
import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readObjectIdentifier,
  readWholeBitString,
} from './der.ts';
import { readIntegerBytes } from './der-integer.ts';
import { readTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readExtensions } from './extensions.ts';
import { readName } from './name.ts';
import { readPublicKey } from './public-key.ts';
import { isSameBytes } from './same-bytes.ts';
import type { Certificate } from './x509.ts';

/** Ten times what a certificate with a 4096-bit key and a long list of names weighs, in bytes. */
export const maxCertificateBytes = 32 * 1024;

// The certificates of the signers that a site trusts are few and come again and again.
const maxRemembered = 256;
const remembered = new Map<string, Certificate>();

/**
 * Reads one DER certificate (RFC 5280, section 4.1). Throws `EnvelopeError` for whatever is not
 * exactly one, or has more than `maxCertificateBytes`. Says nothing about trust.
 */
export function readCertificate(untrusted: Uint8Array): Certificate {
  if (untrusted.length > maxCertificateBytes) {
    throw malformed(`the certificate is larger than ${maxCertificateBytes} bytes`);
  }
  const fingerprint = sha256(untrusted);
  const known = remembered.get(fingerprint);
  remembered.delete(fingerprint);
  // A copy, because a view would keep its whole envelope in memory.
  const certificate = known ?? parseCertificate(Uint8Array.from(untrusted), fingerprint);
  remembered.set(fingerprint, certificate);
  forgetOldest(remembered, maxRemembered);
  return certificate;
}

/** The three parts of a certificate; its signature covers the exact bytes of `signed`. */
export interface CertificateParts {
  readonly signed: DerElement;
  readonly algorithm: DerElement;
  readonly signature: Uint8Array;
}

export function partsOfCertificate(der: Uint8Array): CertificateParts {
  const parts = expectChildren(readDer(der), 'the certificate');
  if (parts.length !== 3) throw malformed('the certificate has not three parts');
  return {
    signed: expectTag(parts[0], derTags.sequence, 'the signed part'),
    algorithm: expectTag(parts[1], derTags.sequence, 'the signature algorithm'),
    signature: readWholeBitString(parts[2], 'the signature of the certificate'),
  };
}

function parseCertificate(der: Uint8Array, fingerprint: string): Certificate {
  const { signed, algorithm } = partsOfCertificate(der);
  const [serial, innerAlgorithm, issuer, validity, subject, spki, ...optional] = fieldsOf(signed);
  // RFC 5280, section 4.1.1.2: both name the same algorithm; only the inner one is signed.
  if (innerAlgorithm === undefined || !isSameBytes(innerAlgorithm.bytes, algorithm.bytes)) {
    throw malformed('the certificate names two signature algorithms');
  }
  const { bytes: keyDer } = expectTag(spki, derTags.sequence, 'the public key');
  const { key, fingerprint: keyFingerprint } = readPublicKey(keyDer);
  return {
    der,
    fingerprint,
    publicKey: key,
    keyFingerprint,
    // In its one encoding, by which a revocation list is searched.
    serialNumber: readIntegerBytes(serial, 'the serial number'),
    subject: readName(subject, 'the subject'),
    issuer: readName(issuer, 'the issuer'),
    ...readValidity(validity),
    signatureAlgorithm: readObjectIdentifier(
      expectChildren(algorithm, 'the signature algorithm')[0],
      'the signature algorithm',
    ),
    ...readExtensions(extensionsOf(optional)),
  };
}

/** The fields of TBSCertificate behind the version, which stands only where it is not 1. */
function fieldsOf(signed: DerElement): readonly DerElement[] {
  const fields = expectChildren(signed, 'the signed part');
  if (fields[0]?.tag !== 0xa0) return fields;
  const [version, ...rest] = expectChildren(fields[0], 'the version', 0xa0);
  const { content } = expectTag(version, derTags.integer, 'the version');
  const isKnown = content.length === 1 && (content[0] === 1 || content[0] === 2);
  if (!isKnown || rest.length > 0) throw malformed('the version is unknown');
  return fields.slice(1);
}

/** Unique identifiers `[1]` and `[2]`, which nobody uses, then extensions `[3]`. */
function extensionsOf(optional: readonly DerElement[]): DerElement | undefined {
  let last = 0x80;
  for (const { tag } of optional) {
    const number = tag & 0x1f;
    if ((tag & 0xc0) !== 0x80 || number < 1 || number > 3 || number <= (last & 0x1f)) {
      throw malformed('the signed part has unknown fields');
    }
    last = tag;
  }
  const wrapper = optional.find(({ tag }) => tag === 0xa3);
  if (wrapper === undefined) return undefined;
  const [list, ...rest] = expectChildren(wrapper, 'the extensions', 0xa3);
  if (list === undefined || rest.length > 0) throw malformed('the extensions are no single list');
  return list;
}

function readValidity(
  element: DerElement | undefined,
): Pick<Certificate, 'notBefore' | 'notAfter'> {
  const [notBefore, notAfter, ...rest] = expectChildren(element, 'the validity');
  if (rest.length > 0) throw malformed('the validity has more than two times');
  const what = 'a time of the validity';
  return { notBefore: readTime(notBefore, what), notAfter: readTime(notAfter, what) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
