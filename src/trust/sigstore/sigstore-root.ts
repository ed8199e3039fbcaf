import type { PublicKey } from '../../crypto/public-key.ts';
import type { KeyAlgorithm } from '../../crypto/sigstore-key.ts';
import type { Certificate } from '../../crypto/x509.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';

/** A Sigstore trusted root as plain data: whom it trusts, for what, and when. */
export interface SigstoreRoot {
  /** SHA-256 of the document, lower-case hex: part of what a verdict depends on. */
  readonly digest: string;
  readonly logs: readonly TransparencyLog[];
  readonly certificateLogs: readonly CertificateLog[];
  /** Of code-signing certificates, such as Fulcio. */
  readonly certificateAuthorities: readonly CertificateAuthority[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
  /** Entries that are left out because their keys are of a kind that is not accepted, each told. */
  readonly leftOut: readonly string[];
}

/** Both ends are included; without an end it goes on. */
export interface ValidityPeriod {
  readonly start: Date;
  readonly end?: Date;
}

interface LogCommon {
  readonly baseUrl: string;
  /** Who runs it. Thresholds count operators: two logs of one are one. */
  readonly operator: string;
  readonly publicKey: PublicKey;
  readonly algorithm: KeyAlgorithm;
  /** When its key counts. */
  readonly validFor: ValidityPeriod;
}

/** A Rekor log. */
export interface TransparencyLog extends LogCommon {
  /** As its checkpoints are signed: the host of its URL, with the port if that has one. */
  readonly name: string;
  /** What entries name it by. */
  readonly logId: Uint8Array;
  /** What checkpoints name its key by: four bytes, lower-case hex. */
  readonly keyHint: string;
}

/** A certificate transparency log. */
export interface CertificateLog extends LogCommon {
  /** What timestamps name it by: SHA-256 of its SPKI, 32 bytes. */
  readonly logId: Uint8Array;
}

export interface CertificateAuthority {
  readonly uri: string;
  readonly operator: string;
  /** As the document has them: from the one that issues (of a timestamp authority, its own) to the anchor. */
  readonly chain: NonEmpty<Certificate>;
  readonly validFor: ValidityPeriod;
}

/**
 * Whether a path to the anchor goes by the certificate that issues. Others under the same anchor are
 * none of this authority's, and one of them may be one whose own entry has ended, or was taken out.
 */
export function goesBy(
  { chain: [issuing] }: CertificateAuthority,
  path: readonly Certificate[],
): boolean {
  return path.some(({ keyFingerprint }) => keyFingerprint === issuing.keyFingerprint);
}

export function isWithin({ start, end }: ValidityPeriod, time: Date): boolean {
  return start <= time && (end === undefined || time <= end);
}
