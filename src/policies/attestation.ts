import type { NonEmpty } from '../kernel/non-empty.ts';
import type { Digest } from '../oci/digest.ts';
import type { AttestationFound } from '../verdict/report.ts';
import type { Condition } from './conditions/condition.ts';
import type { RequireRule } from './policy.ts';

/**
 * What `attestation:` demands: one statement of one of the types, signed by the identity, that
 * meets every condition. Plain data, so that it can be judged in another thread.
 */
export interface AttestationRequirement {
  /** SHA-256 over its meaning, lower-case hex: what `AttestationFound` calls it by. */
  readonly digest: string;
  /** Compared exactly: types with and without a version in them are different ones. */
  readonly predicateTypes: NonEmpty<string>;
  readonly signedBy: string;
  /** Named conditions, and `where`, in the order in which they are judged. */
  readonly conditions: readonly Condition[];
  readonly maxAgeMs: number | undefined;
}

/** A statement that a proven signer made about the subject; `ProvenStatement` of a format is one. */
export interface SignedStatement {
  readonly predicateType: string;
  /** The whole in-toto statement as it was signed. */
  readonly payload: Uint8Array;
  /** The latest trusted time by which it was signed; undefined where none is proven. */
  readonly signedBy?: Date;
}

/** One statement, and what it is to be held against. */
export interface StatementQuestion {
  readonly rule: RequireRule;
  /** The identity that has been proven to have signed it: requirements of others do not look at it. */
  readonly identity: string;
  readonly statement: SignedStatement;
  /** Where the subject is, as policies name it, such as `ghcr.io/acme/app`. */
  readonly scope: string;
  readonly subject: Digest;
  readonly now: Date;
}

/**
 * Holds a statement against every attestation requirement of the rule that its signer is named in.
 * Never rejects for a "no" of any kind; what could not be worked out (no thread free, too slow, too
 * much memory) is an inconclusive condition. Rejects only with the reason of an aborted signal.
 */
export type JudgeStatement = (
  question: StatementQuestion,
  signal: AbortSignal,
) => Promise<AttestationFound>;
