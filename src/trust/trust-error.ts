import { TaggedError } from '../kernel/tagged-error.ts';

export type TrustErrorCode =
  | 'TRUST_STORE_UNREADABLE'
  | 'TRUST_STORE_MALFORMED'
  | 'REVOCATION_FILES_UNUSABLE'
  | 'SIGSTORE_ROOT_MALFORMED'
  | 'SIGSTORE_ROOT_UNAVAILABLE';

/** Trust material that can't be used. */
export class TrustError extends TaggedError<TrustErrorCode> {}
