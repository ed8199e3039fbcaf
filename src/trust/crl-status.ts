import { checkDelta, coverageOf } from '../crypto/crl-check.ts';
import type { Crl } from '../crypto/crl.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import type { Certificate } from '../crypto/x509.ts';
import { quotedUrl } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type CurrentCrl, outcomeOf, statusOfLists } from './crl-judgement.ts';
import { type CrlUse, crlSource } from './crl-source.ts';
import type { RevocationLimits } from './revocation-limits.ts';
import type { RevocationStatus } from './revocation-source.ts';
import type { SignedAnswer, SignedSource } from './signed-source.ts';

/** Answers for one verification, from wherever they come. */
export type Obtain = <T>(source: SignedSource<T>) => Promise<SignedAnswer<T>>;

const freshestCrl = '2.5.29.46';

/** The status by every list that the certificate names: an issuer may spread reasons over them. */
export async function statusByLists(
  certificate: Certificate,
  issuer: Certificate,
  obtain: Obtain,
  limits: RevocationLimits,
): Promise<RevocationStatus> {
  const { crlUrls } = certificate;
  if (crlUrls.length > limits.maxCrlUrls) {
    return { kind: 'unknown', because: `it names more than ${limits.maxCrlUrls} revocation lists` };
  }
  const use: CrlUse = {
    name: 'of all',
    assertFit(crl) {
      assertComplete(crl, certificate);
      coverageOf(crl, certificate);
    },
  };
  const outcomes = crlUrls.map((url) => {
    const find = async (): Promise<CurrentCrl> => {
      const { value: base, validUntil } = await obtain(crlSource(url, issuer, use, limits));
      // It may have been asked for by another certificate.
      assertComplete(base, certificate);
      const current = { base, source: quotedUrl(url), validUntil };
      return base.freshestUrls.length === 0
        ? current
        : await withDelta(current, issuer, obtain, limits);
    };
    return outcomeOf(certificate, quotedUrl(url), find);
  });
  return statusOfLists(await Promise.all(outcomes));
}

/** Deltas that the certificate alone names are not supported: the list could be an old one. */
export function assertComplete(base: Crl, { extensions }: Certificate): void {
  if (base.baseNumber !== undefined) {
    throw new EnvelopeError('CRL_MALFORMED', 'the revocation list holds changes alone');
  }
  if (base.freshestUrls.length === 0 && extensions.has(freshestCrl)) {
    const because = 'the certificate names changes to its revocation list, the list names none';
    throw new EnvelopeError('CRL_MALFORMED', because);
  }
}

/** The first delta that fits, in the order in which the list names them. */
async function withDelta(
  current: CurrentCrl,
  issuer: Certificate,
  obtain: Obtain,
  limits: RevocationLimits,
): Promise<CurrentCrl> {
  const problems: string[] = [];
  const { base } = current;
  // Those since another list are no answer, although they hold for long.
  const use: CrlUse = {
    name: `since ${base.number}`,
    assertFit: (delta) => checkDelta(delta, base),
  };
  for (const url of base.freshestUrls.slice(0, limits.maxCrlUrls)) {
    try {
      const { value: delta, validUntil } = await obtain(crlSource(url, issuer, use, limits));
      checkDelta(delta, base);
      const end = validUntil < current.validUntil ? validUntil : current.validUntil;
      return { ...current, delta, validUntil: end };
    } catch (error) {
      problems.push(`${quotedUrl(url)}: ${messageOf(error)}`);
    }
  }
  throw new Error(`its changes can not be had: ${problems.join('; ')}`);
}
