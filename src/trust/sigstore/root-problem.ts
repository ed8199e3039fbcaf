import { TrustError } from '../trust-error.ts';

export function malformedRoot(why: string, cause?: unknown): TrustError {
  return new TrustError('SIGSTORE_ROOT_MALFORMED', `not a trusted root: ${why}`, { cause });
}

/** A key whose kind or strength is not accepted: its entry is left out, the rest of the root holds. */
export class UnacceptedKeyError extends Error {}
