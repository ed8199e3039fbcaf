import { createHash } from 'node:crypto';
import { checkCrlSignature, checkCrlTimes } from '../crypto/crl-check.ts';
import { type Crl, maxCrlBytes, readCrl } from '../crypto/crl.ts';
import type { Certificate } from '../crypto/x509.ts';
import { issuerId } from './ocsp-source.ts';
import type { RevocationLimits } from './revocation-limits.ts';
import type { SignedSource } from './signed-source.ts';

/** What a list is wanted for. */
export interface CrlUse {
  /** Tells one use of what lies at a URL from another. */
  readonly name: string;
  /** Throws `EnvelopeError` for a list that is no use: it is not kept in the place of one that is. */
  assertFit(crl: Crl): void;
}

/** The list of this issuer at a URL: of all, or the changes since one. */
export function crlSource(
  url: string,
  issuer: Certificate,
  use: CrlUse,
  { crlTimeoutMs }: RevocationLimits,
): SignedSource<Crl> {
  return {
    kind: 'crl',
    key: `crl ${issuerId(issuer)} ${createHash('sha256').update(url).digest('hex')} ${use.name}`,
    requests: [{ url, maxBytes: maxCrlBytes }],
    timeoutMs: crlTimeoutMs,
    async read(untrusted, now) {
      const crl = readCrl(untrusted);
      const validUntil = checkCrlTimes(crl, now);
      await checkCrlSignature(crl, issuer);
      use.assertFit(crl);
      return { value: crl, madeAt: crl.thisUpdate, validUntil, keep: 'until-its-end' };
    },
  };
}
