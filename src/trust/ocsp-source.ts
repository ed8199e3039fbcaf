import { createHash } from 'node:crypto';
import { encodeOcspRequest, ocspGetUrl } from '../crypto/ocsp-request.ts';
import { answerOf } from '../crypto/ocsp-answer.ts';
import { maxOcspBytes, readOcspResponse } from '../crypto/ocsp-response.ts';
import type { OcspStatus } from '../crypto/ocsp-single-response.ts';
import type { Certificate } from '../crypto/x509.ts';
import type { FetchRequest } from './fetch-bytes.ts';
import type { RevocationLimits } from './revocation-limits.ts';
import type { SignedSource } from './signed-source.ts';

/** What the responders that a certificate names say of it. */
export function ocspSource(
  certificate: Certificate,
  issuer: Certificate,
  { ocspTimeoutMs, maxOcspUrls }: RevocationLimits,
): SignedSource<OcspStatus> {
  const asked = encodeOcspRequest(certificate, issuer);
  const serial = createHash('sha256').update(certificate.serialNumber).digest('hex');
  return {
    kind: 'ocsp',
    key: `ocsp ${issuerId(issuer)} ${serial}`,
    requests: certificate.ocspUrls.slice(0, maxOcspUrls).map((url) => toRequest(url, asked)),
    timeoutMs: ocspTimeoutMs,
    async read(untrusted, now) {
      const response = readOcspResponse(untrusted);
      const { status, thisUpdate, nextUpdate } = answerOf(response, certificate, issuer, now);
      const keep = status.kind === 'unknown' ? 'passing' : 'until-its-end';
      return { value: status, madeAt: thisUpdate, validUntil: nextUpdate, keep };
    },
  };
}

/** An issuer by its name and key: each alone may be another's too. */
export function issuerId({ subject, keyFingerprint }: Certificate): string {
  const name = createHash('sha256').update(subject.der).digest('hex');
  return `${keyFingerprint} ${name}`;
}

function toRequest(url: string, asked: Uint8Array): FetchRequest {
  const withAll = ocspGetUrl(url, asked);
  if (withAll !== undefined) return { url: withAll, maxBytes: maxOcspBytes };
  const body = { type: 'application/ocsp-request', bytes: asked };
  return { url, body, maxBytes: maxOcspBytes };
}
