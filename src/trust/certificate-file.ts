import { readCertificate } from '../crypto/certificate.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import { isPem, type PemBlock, readPem } from '../crypto/pem.ts';
import type { Certificate } from '../crypto/x509.ts';
import { TrustError } from './trust-error.ts';

const maxCertificates = 1000;
const sequenceTag = 0x30;

/**
 * Every certificate of a file, PEM (RFC 7468; text around the blocks is a comment) or DER, one
 * after the other. Throws `TrustError` where there is none, or anything else.
 */
export function readCertificateFile(bytes: Uint8Array, file: string): readonly Certificate[] {
  const text = Buffer.from(bytes).toString('latin1');
  const ders = isPem(text) ? splitPem(text, file) : splitDer(bytes, file);
  if (ders.length === 0) throw malformed(file, 'holds no certificate');
  if (ders.length > maxCertificates) {
    throw malformed(file, `holds more than ${maxCertificates} certificates`);
  }
  return ders.map((der, index) => {
    try {
      return readCertificate(der);
    } catch (cause) {
      if (!(cause instanceof EnvelopeError)) throw cause;
      throw malformed(file, `certificate ${index + 1}: ${cause.message}`, cause);
    }
  });
}

function splitPem(text: string, file: string): readonly Uint8Array[] {
  return blocksOf(text, file).map(({ label, der }) => {
    if (label === 'CERTIFICATE') return der;
    throw malformed(file, `holds a ${label}, and must hold certificates only`);
  });
}

function blocksOf(text: string, file: string): readonly PemBlock[] {
  try {
    return readPem(text);
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw malformed(file, cause.message, cause);
  }
}

/** Cuts at the lengths that each certificate states (X.690, section 8.1.3). */
function splitDer(bytes: Uint8Array, file: string): readonly Uint8Array[] {
  const ders: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + lengthAt(bytes, at);
    if (bytes[at] !== sequenceTag || !(end <= bytes.length)) {
      throw malformed(file, 'is neither PEM nor DER');
    }
    ders.push(bytes.subarray(at, end));
    at = end;
  }
  return ders;
}

/** The whole length of a DER value with its header; NaN where it can't be. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at + 1] ?? NaN;
  if (first < 0x80) return 2 + first;
  const count = first - 0x80;
  if (!(count >= 1 && count <= 3) || at + 2 + count > bytes.length) return NaN;
  const length = bytes.subarray(at + 2, at + 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return 2 + count + length;
}

function malformed(file: string, why: string, cause?: unknown): TrustError {
  return new TrustError('TRUST_STORE_MALFORMED', `${file} ${why}`, { cause });
}
