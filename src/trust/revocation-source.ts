import type { Certificate } from '../crypto/x509.ts';

/** Whether certificates are revoked, by OCSP responders and CRLs (RFC 6960; RFC 5280, section 5). */
export interface RevocationSource {
  /**
   * What is known of a certificate whose issuer's signature on it was verified. Rejects only with
   * the signal's reason: what could not be found out is `unknown`.
   */
  statusOf(
    certificate: Certificate,
    issuer: Certificate,
    signal: AbortSignal,
  ): Promise<RevocationStatus>;
}

export type RevocationStatus =
  /** The certificate names no source: it can't be revoked. */
  | { readonly kind: 'not-revocable' }
  | { readonly kind: 'good'; readonly source: string; readonly validUntil: Date }
  | {
      readonly kind: 'revoked';
      readonly source: string;
      readonly revokedAt: Date;
      /** RFC 5280, section 5.3.2: when the key was, or may have been, in other hands. */
      readonly invalidityDate?: Date;
      /** RFC 5280, section 5.3.1, such as `keyCompromise`. */
      readonly reason?: string;
      readonly validUntil: Date;
    }
  | { readonly kind: 'unknown'; readonly because: string };
