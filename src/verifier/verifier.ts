import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Repository } from '../oci/repository.ts';
import type { Rule } from '../policies/policy.ts';
import type { Verdict } from '../verdict/verdict.ts';

/** What is to be verified: bytes that were hashed and read, in the repository they came from. */
export interface Subject {
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

export interface Verifier {
  /** Discovers the signatures, examines each, decides. Never throws for a "no" of any kind. */
  verify(subject: Subject, signal: AbortSignal): Promise<Verdict>;
  /**
   * The rule in force for a subject, and the digest of all that would decide (the rule, its
   * identities, their trust material): a remembered verdict with another digest is no answer.
   */
  governing(repository: Repository, subject: Digest): Governing;
}

export interface Governing {
  readonly rule: Rule | undefined;
  readonly digest: string;
}
