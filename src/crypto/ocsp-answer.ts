import { isSignedBy } from './certificate-signature.ts';
import { EnvelopeError } from './envelope-error.ts';
import { isIdOf, keyHashOf } from './ocsp-certificate-id.ts';
import type { OcspResponse } from './ocsp-response.ts';
import type { OcspStatus } from './ocsp-single-response.ts';
import { isSameBytes } from './same-bytes.ts';
import type { Certificate } from './x509.ts';
import { verifyX509Signature } from './x509-signature.ts';

/** How far a responder's clock, or a CA's, may run ahead of ours. */
export const clockToleranceMs = 5 * 60_000;

const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** What may be believed of one certificate until `nextUpdate`. */
export interface OcspAnswer {
  readonly status: OcspStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/**
 * What a response says of a certificate of this issuer, once its signature, its signer's right to
 * sign and its times at `now` are verified (RFC 6960, sections 3.2 and 4.2.2). Throws
 * `EnvelopeError` saying why it says nothing.
 *
 * An answer without nextUpdate is no answer: it could be replayed for ever.
 */
export function answerOf(
  response: OcspResponse,
  certificate: Certificate,
  issuer: Certificate,
  now: Date,
): OcspAnswer {
  const [answer, ...others] = response.responses.filter((each) =>
    isIdOf(each.certificate, certificate, issuer),
  );
  if (answer === undefined) throw unusable('is about another certificate');
  if (others.length > 0) throw unusable('answers twice');
  checkSigner(response, issuer, now);
  const { status, thisUpdate, nextUpdate } = answer;
  const latest = now.getTime() + clockToleranceMs;
  if (response.producedAt.getTime() > latest || thisUpdate.getTime() > latest) {
    throw unusable('is of a time to come');
  }
  if (nextUpdate === undefined) throw unusable('does not say until when it holds');
  if (nextUpdate <= now) throw unusable(`ended at ${nextUpdate.toISOString()}`);
  return { status, thisUpdate, nextUpdate };
}

/** The issuer itself, or whom it authorized (RFC 6960, section 4.2.2.2). */
function checkSigner(response: OcspResponse, issuer: Certificate, now: Date): void {
  if (isResponder(response, issuer) && isSigned(response, issuer)) return;
  const delegate = response.certificates.find(
    (each) => isResponder(response, each) && isSigned(response, each),
  );
  if (delegate === undefined) throw unusable('is not signed by the responder that it names');
  const refusal = refusalOfDelegate(delegate, issuer, now);
  if (refusal !== undefined) throw unusable(`is signed by a certificate that ${refusal}`);
}

function isSigned({ signature }: OcspResponse, { publicKey }: Certificate): boolean {
  return verifyX509Signature(signature, publicKey, 'the OCSP response');
}

function isResponder({ responder }: OcspResponse, certificate: Certificate): boolean {
  return 'name' in responder
    ? isSameBytes(responder.name, certificate.subject.der)
    : isSameBytes(responder.keyHash, keyHashOf('sha1', certificate));
}

/**
 * Why a certificate may not answer for the issuer: it must be issued by it directly, for signing
 * OCSP responses, and be valid now. Whether it was revoked itself is not asked, with
 * id-pkix-ocsp-nocheck (section 4.2.2.2.1) or without: an issuer keeps such certificates
 * short-lived, and who would answer for the one that answers?
 */
export function refusalOfDelegate(
  delegate: Certificate,
  issuer: Certificate,
  now: Date,
): string | undefined {
  if (!isSameBytes(delegate.issuer.der, issuer.subject.der) || !isSignedBy(delegate, issuer))
    return 'the issuer did not issue';
  if (delegate.extendedKeyUsage?.purposes.includes(ocspSigning) !== true)
    return 'is not for signing OCSP responses';
  if (delegate.keyUsage?.bits.has('digitalSignature') === false)
    return 'is not for signing anything';
  if (now < delegate.notBefore || now > delegate.notAfter) return 'is not valid now';
  return undefined;
}

function unusable(why: string): EnvelopeError {
  return new EnvelopeError('OCSP_MALFORMED', `the OCSP response ${why}`);
}
