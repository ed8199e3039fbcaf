import type { Digest } from '../oci/digest.ts';
import type { Check } from './check.ts';
import type { Identity } from './identity.ts';
import type { Reason } from './reason.ts';
import type { SigningTime } from './signing-times.ts';

/** A statement about the subject, and the conditions of the rule that it was held against. */
export interface AttestationFound {
  readonly predicateType: string;
  /** Attestation requirements of the rule, by their digests, all of whose conditions it meets. */
  readonly meets: readonly string[];
  readonly conditions: readonly ConditionFound[];
  /** When it stops meeting one of those that it meets, by age; the report ends no later. */
  readonly freshUntil?: Date;
}

export interface ConditionFound {
  /** The digest of the attestation requirement that it belongs to. */
  readonly requirement: string;
  /** The condition as the policy has it. */
  readonly condition: string;
  /** `inconclusive`: it could not be worked out within the bounds. */
  readonly outcome: 'met' | 'not-met' | 'inconclusive';
  /** What it saw, or why it could not be worked out. */
  readonly because?: string;
}

/** All checks of one signature against one identity of the trust policy. */
export interface Report {
  /** The signature format, such as `notation-jws`, or `unrecognized`. */
  readonly format: string;
  /** The digest of the signature's manifest. */
  readonly signature: Digest;
  /** The digest of its layer, and which it is, where the manifest holds several signatures. */
  readonly envelope?: { readonly digest: Digest; readonly index: number };
  /** The name of the identity in the trust policy that it was held against. */
  readonly identity: string;
  readonly outcome: 'trusted' | 'untrusted' | 'inconclusive';
  readonly checks: readonly Check[];
  /** Why it is not trusted. */
  readonly reason?: Reason;
  /** Who signed, if the checks proved it. */
  readonly signer?: Identity;
  /** What it attests; undefined for a plain signature. An attestation never counts as a signature. */
  readonly attestation?: AttestationFound;
  /** When it was made, if that is proven by somebody whom the policy trusts with it. */
  readonly signedAt?: SigningTime;
  /** When what was proven ends: expiry of the signature, of a certificate, of revocation data. */
  readonly validUntil?: Date;
  /** Checks that failed but are only logged (level permissive). */
  readonly loggedFailures: number;
}
