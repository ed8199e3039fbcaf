import type { KeyObject } from 'node:crypto';

/** An X.509 certificate as the Notary Project's rules need to see it: what node:crypto hides too. */
export interface Certificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly publicKey: KeyObject;
  /** SHA-256 of the SPKI DER, lower-case hex. */
  readonly keyFingerprint: string;
  /** Content of its INTEGER, for byte comparison: unique to the issuer, if the issuer is honest. */
  readonly serialNumber: Uint8Array;
  /** DER of the names, for byte comparison, and their attributes in order. */
  readonly subject: Name;
  readonly issuer: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** OID of the algorithm that the certificate itself is signed with. */
  readonly signatureAlgorithm: string;
  readonly basicConstraints?: {
    readonly critical: boolean;
    readonly isCa: boolean;
    readonly pathLength?: number;
  };
  readonly keyUsage?: { readonly critical: boolean; readonly bits: ReadonlySet<KeyUsageBit> };
  /** OIDs. */
  readonly extendedKeyUsage?: { readonly critical: boolean; readonly purposes: readonly string[] };
  /** OCSP responders and CRL distribution points that it names; whether there are any is a fact. */
  readonly ocspUrls: readonly string[];
  readonly crlUrls: readonly string[];
  /** Every extension by its OID, also those that are read above. */
  readonly extensions: ReadonlyMap<string, Extension>;
}

export interface Extension {
  readonly critical: boolean;
  /** DER of the extension's own type. */
  readonly value: Uint8Array;
}

export interface Name {
  readonly der: Uint8Array;
  /** One entry a relative distinguished name; several attributes in one are a multi-valued RDN. */
  readonly rdns: readonly (readonly NameAttribute[])[];
  /** RFC 4514 text. */
  readonly text: string;
}

export interface NameAttribute {
  readonly oid: string;
  /** Short name as `CN`, `O`, `C`, `ST`; undefined where RFC 4514 has none. */
  readonly shortName?: string;
  readonly value: string;
}

export type KeyUsageBit =
  | 'digitalSignature'
  | 'contentCommitment'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly';
