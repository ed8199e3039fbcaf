import { TaggedError } from '../kernel/tagged-error.ts';

export type SignerErrorCode =
  /** No URI of a key, or of a kind that is not there. */
  | 'KEY_URI_UNUSABLE'
  | 'KEY_UNREADABLE'
  /** A key that we do not sign with, or a public one. */
  | 'KEY_UNSUPPORTED'
  /** Encrypted, and the passphrase is missing or wrong. */
  | 'PASSPHRASE_UNUSABLE'
  | 'KEY_EXISTS'
  | 'SIGNING_FAILED';

export class SignerError extends TaggedError<SignerErrorCode> {}
