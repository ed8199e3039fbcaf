/** Bounds of what is asked and kept about revocation. */
export interface RevocationLimits {
  /** Of each OCSP request; RFC 6960 gives none, notation waits as long. */
  readonly ocspTimeoutMs: number;
  /** Of each list. */
  readonly crlTimeoutMs: number;
  /** Responders and lists that one certificate may name. */
  readonly maxOcspUrls: number;
  readonly maxCrlUrls: number;
  /** Questions that lead to requests, for one verification. */
  readonly questionsPerVerification: number;
  /** Requests at once, of each kind, and those that wait for one of them to end. */
  readonly ocspsAtOnce: number;
  readonly crlsAtOnce: number;
  readonly maxWaiting: number;
  /** What failed is not asked again for so long. */
  readonly failureMs: number;
  /** An answer older than this is used only if no newer one can be had. */
  readonly maxAgeMs: number;
  /** An answer in use is asked for anew at half its time, or after this if that is sooner. */
  readonly refreshAfterMs: number;
  /** An answer that nobody asked for in so long is not refreshed any more. */
  readonly unusedMs: number;
  readonly refreshesAtOnce: number;
  /** Answers held in memory. */
  readonly maxHeldBytes: number;
}

export const defaultRevocationLimits: RevocationLimits = {
  ocspTimeoutMs: 2_000,
  crlTimeoutMs: 5_000,
  maxOcspUrls: 4,
  maxCrlUrls: 8,
  questionsPerVerification: 64,
  ocspsAtOnce: 16,
  crlsAtOnce: 4,
  maxWaiting: 256,
  failureMs: 10_000,
  maxAgeMs: 24 * 3_600_000,
  refreshAfterMs: 6 * 3_600_000,
  unusedMs: 24 * 3_600_000,
  refreshesAtOnce: 16,
  maxHeldBytes: 96 * 1024 * 1024,
};
