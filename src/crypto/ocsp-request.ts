import { derTags } from './der.ts';
import { encodeDer } from './der-writer.ts';
import { encodeCertificateId } from './ocsp-certificate-id.ts';
import type { Certificate } from './x509.ts';

/**
 * DER of a request for one certificate (RFC 6960, section 4.1), unsigned and without a nonce, as
 * responders that sign ahead of time and caches between us take it (RFC 5019, section 2.1.1).
 */
export function encodeOcspRequest(certificate: Certificate, issuer: Certificate): Uint8Array {
  const request = encodeDer(derTags.sequence, encodeCertificateId(certificate, issuer));
  const list = encodeDer(derTags.sequence, request);
  return encodeDer(derTags.sequence, encodeDer(derTags.sequence, list));
}

/** The URL that asks by GET (RFC 6960, appendix A.1); undefined where that would be too long. */
export function ocspGetUrl(responder: string, request: Uint8Array): string | undefined {
  const encoded = Buffer.from(request).toString('base64');
  if (encoded.length >= 255) return undefined;
  return `${responder.replace(/\/$/, '')}/${encodeURIComponent(encoded)}`;
}
