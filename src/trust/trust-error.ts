import { TaggedError } from '../kernel/tagged-error.ts';

export type TrustErrorCode = 'TRUST_STORE_UNREADABLE' | 'TRUST_STORE_MALFORMED';

/** Trust material that can't be used. */
export class TrustError extends TaggedError<TrustErrorCode> {}
