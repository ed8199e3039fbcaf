/** Which of the two ways says whether a certificate is revoked. */
export type RevocationKind = 'ocsp' | 'crl';

/** What revocation tells those who watch. URLs come from certificates: quote them. */
export interface RevocationEvents {
  /** A request over the network: `unusable` is an answer that proves nothing. */
  requested(kind: RevocationKind, outcome: 'usable' | 'unusable' | 'unreachable'): void;
  /** Why the one to `url` was no use. */
  failed(kind: RevocationKind, url: string, because: string): void;
  /** An answer that was there already. */
  reused(kind: RevocationKind, from: 'memory' | 'cache' | 'file', ageSeconds: number): void;
  /** The oldest answer that is in use, at each round of refreshing. */
  oldest(kind: RevocationKind, ageSeconds: number): void;
  /** What is kept between requests failed; everything goes on without it. */
  cacheFailed(because: string): void;
}
