/** What verification proved about who signed. */
export interface Identity {
  readonly kind: 'certificate';
  /** RFC 4514 text of the leaf's subject and issuer. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the leaf certificate's DER, lower-case hex. */
  readonly certificateFingerprint: string;
  /** SHA-256 of the public key's SPKI DER, lower-case hex: two signatures by one key are one proof. */
  readonly keyFingerprint: string;
}

/** One text for logs and metrics. */
export function describeIdentity(identity: Identity): string {
  return `${identity.subject} (key ${identity.keyFingerprint.slice(0, 16)})`;
}
