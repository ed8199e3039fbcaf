import type { KeyObject } from 'node:crypto';
import type { NonEmpty } from '../kernel/non-empty.ts';

/** What the trust policy demands of a Sigstore signature: by whom, and what proves when. */
export interface SigstoreRequirement {
  readonly signer: SigstoreKeys | SigstoreCertificate;
  /** Distinct transparency logs, by operator, in which it must be found. 0 only where the policy says `not-required`. */
  readonly minLogs: number;
  /** Distinct timestamp authorities, by operator, that must have seen it. */
  readonly minTimestamps: number;
  /** Distinct certificate transparency logs that must have seen the certificate; 0 with keys. */
  readonly minCertificateLogs: number;
  /** The trusted root under `trust.sigstore` that it is held against; undefined with keys alone and no log. */
  readonly root: string | undefined;
  /** How long ago the root may have been verified by TUF; however long where it is absent. */
  readonly maxRootAgeMs?: number;
  /** Names beside the upstream's own that a signed `docker-reference` may have. */
  readonly signedAs: readonly string[];
}

/** One of several public keys. */
export interface SigstoreKeys {
  readonly kind: 'keys';
  readonly keys: NonEmpty<TrustedKey>;
}

export interface TrustedKey {
  /** As the policy names it: a path or a URI. */
  readonly name: string;
  readonly publicKey: KeyObject;
  /** SHA-256 of the SPKI DER, lower-case hex. */
  readonly keyFingerprint: string;
  /** Trusted times before it or after its end do not count; both ends are included. */
  readonly validFrom?: Date;
  readonly validUntil?: Date;
}

/** A certificate of a trusted authority with the issuer and subject, and any further claims. */
export interface SigstoreCertificate {
  readonly kind: 'certificate';
  readonly issuer: TextMatch;
  readonly subject: TextMatch;
  /** Claims of the workflow, each demanded: see `crypto/fulcio-extensions.ts` for their names. */
  readonly claims: ReadonlyMap<string, TextMatch>;
}

/** Text compared exactly, or a pattern that must match all of it in linear time. */
export interface TextMatch {
  readonly kind: 'exact' | 'pattern';
  /** As the policy has it. */
  readonly text: string;
  matches(value: string): boolean;
}
