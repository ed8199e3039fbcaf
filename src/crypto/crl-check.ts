import type { Crl } from './crl.ts';
import { EnvelopeError } from './envelope-error.ts';
import { noUrl } from './revocation-urls.ts';
import { clockToleranceMs } from './ocsp-answer.ts';
import { isSameBytes } from './same-bytes.ts';
import type { Certificate } from './x509.ts';
import { verifyLargeX509Signature } from './x509-signature.ts';

/**
 * Resolves where the issuer of certificates signed the list and may (RFC 5280, section 6.3.3,
 * steps f and g); rejects with `EnvelopeError` otherwise. Lists by others than the issuer itself
 * are not supported. Times are for `checkCrlTimes`, scope for `coverageOf`.
 */
export async function checkCrlSignature(crl: Crl, issuer: Certificate): Promise<void> {
  if (!isSameBytes(crl.issuer, issuer.subject.der)) throw unusable('is of another issuer');
  if (issuer.keyUsage?.bits.has('cRLSign') === false) {
    throw unusable('is of an issuer whose key must not sign lists');
  }
  if (!(await verifyLargeX509Signature(crl.signature, issuer.publicKey, 'the revocation list'))) {
    throw unusable('is not signed by its issuer');
  }
}

/** Until when it may be used. Throws `EnvelopeError` where it may not be used at `now`. */
export function checkCrlTimes({ thisUpdate, nextUpdate }: Crl, now: Date): Date {
  if (thisUpdate.getTime() > now.getTime() + clockToleranceMs)
    throw unusable('is of a time to come');
  if (nextUpdate === undefined) throw unusable('does not say until when it holds');
  if (nextUpdate <= now) throw unusable(`ended at ${nextUpdate.toISOString()}`);
  return nextUpdate;
}

/**
 * The reasons, as bits, for which the list tells whether the certificate is revoked (RFC 5280,
 * section 6.3.3, step b). Throws `EnvelopeError` where it is about others: another list of the same
 * issuer, put in its place, must not pass for it.
 */
export function coverageOf({ scope }: Crl, certificate: Certificate): number {
  const { urls, certificates, reasons } = scope;
  // Two names that are no URLs need not be the same name.
  const isShared = (url: string): boolean => url !== noUrl && certificate.crlUrls.includes(url);
  if (urls?.some(isShared) === false) {
    throw unusable('is for another distribution point');
  }
  const isCa = certificate.basicConstraints?.isCa === true;
  if (certificates !== 'all' && isCa !== (certificates === 'authorities')) {
    throw unusable(`is of ${certificates} alone`);
  }
  return reasons;
}

/**
 * Throws `EnvelopeError` unless the delta brings the list up to date (RFC 5280, section 5.2.4). A
 * delta of the list's own number, as is published along with a list, brings no news.
 */
export function checkDelta(delta: Crl, base: Crl): void {
  if (delta.baseNumber === undefined) throw unusable('is no delta');
  if (base.number === undefined || delta.number === undefined) throw unusable('has no number');
  if (!isSameBytes(delta.scope.der, base.scope.der)) throw unusable('has another scope');
  if (delta.baseNumber > base.number) throw unusable('builds on a later list');
  if (delta.number < base.number) throw unusable('is older than the list that it builds on');
}

function unusable(why: string): EnvelopeError {
  return new EnvelopeError('CRL_MALFORMED', `the revocation list ${why}`);
}
