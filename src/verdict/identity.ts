/** What verification proved about who signed. */
export type Identity = CertificateIdentity | KeyIdentity;

interface IdentityCommon {
  /** SHA-256 of the public key's SPKI DER, lower-case hex: two signatures by one key are one proof. */
  readonly keyFingerprint: string;
}

export interface CertificateIdentity extends IdentityCommon {
  readonly kind: 'certificate';
  /** RFC 4514 text of the leaf's subject and issuer; of a Sigstore certificate its claimed ones. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the leaf certificate's DER, lower-case hex. */
  readonly certificateFingerprint: string;
  /**
   * The same of the certificates above the leaf by which it was proven, up to the anchor, and of
   * their keys: to deny one of them denies the leaf. Absent from what an earlier version proved.
   */
  readonly authorityFingerprints?: readonly string[];
}

export interface KeyIdentity extends IdentityCommon {
  readonly kind: 'key';
  /** As the policy names it: a path or a URI. */
  readonly subject: string;
}

/** One text for logs and metrics. */
export function describeIdentity(identity: Identity): string {
  return `${identity.subject} (key ${identity.keyFingerprint.slice(0, 16)})`;
}
