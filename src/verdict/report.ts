import type { Digest } from '../oci/digest.ts';
import type { Check } from './check.ts';
import type { Identity } from './identity.ts';
import type { Reason } from './reason.ts';

/** All checks of one signature against one identity of the trust policy. */
export interface Report {
  /** The signature format, such as `notation-jws`, or `unrecognized`. */
  readonly format: string;
  /** The digest of the signature's manifest. */
  readonly signature: Digest;
  /** The name of the identity in the trust policy that it was held against. */
  readonly identity: string;
  readonly outcome: 'trusted' | 'untrusted' | 'inconclusive';
  readonly checks: readonly Check[];
  /** Why it is not trusted. */
  readonly reason?: Reason;
  /** Who signed, if the checks proved it. */
  readonly signer?: Identity;
  /** When what was proven ends: expiry of the signature, of a certificate, of revocation data. */
  readonly validUntil?: Date;
  /** Checks that failed but are only logged (level permissive). */
  readonly loggedFailures: number;
}
