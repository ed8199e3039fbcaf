import type { ExaminationSources, SignatureFormat } from '../formats/signature-format.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Repository, RepositoryPath } from '../oci/repository.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Decision, Evidence } from '../policies/decide.ts';
import type { JudgeStatement } from '../policies/attestation.ts';
import type { Requirement, Rule, TrustPolicy } from '../policies/policy.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Denial } from '../verdict/denial.ts';
import type { Report } from '../verdict/report.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { BudgetLimits } from './budget.ts';

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
   * identities, their trust material, the checks, the longest lifetime): a remembered verdict with another digest is no answer.
   */
  governing(repository: Repository, subject: Digest): Governing;
  /** Whether any rule could match something in the repository: if not, there is nothing to ask for. */
  hasRuleIn(repository: Repository): boolean;
  /** Another number after each change of policy, trust material or deny list. */
  generation(): number;
}

/** What is revoked here by hand, as far as it concerns verdicts: the gate's deny list. */
export interface DeniedEvidence {
  /** Grows with every change of the list, on all replicas alike. */
  epoch(): number;
  /** Another number after each change here. */
  generation(): number;
  /** The denial of who made a signature, or of the signature itself. */
  onReport(report: Pick<Report, 'signer' | 'signature' | 'envelope'>): Denial | undefined;
}

export interface Governing {
  readonly rule: Rule | undefined;
  readonly digest: string;
}

/** The policy and trust material in force, replaced together and never changed in place. */
export interface VerificationBasis {
  readonly policy: TrustPolicy;
  readonly trust: TrustMaterial;
  readonly generation: number;
}

export interface VerifierDependencies {
  /** The policy and trust material in force at this moment. */
  readonly basis: () => VerificationBasis;
  readonly source: (upstream: string) => ContentSource | undefined;
  /** Another repository of the same upstream in which signatures may lie. */
  readonly signatureRepository: (repository: Repository) => RepositoryPath | undefined;
  /** Names of a repository beside the one that policies have, as signers may write it. */
  readonly aliases: (repository: Repository) => readonly string[];
  readonly formats: readonly SignatureFormat[];
  readonly sources: ExaminationSources;
  /** The policy engine: what the requirement says of the evidence. */
  readonly decide: (requirement: Requirement, evidence: Evidence) => Decision;
  /** The policy engine's other half: what a signed statement says of the rule's attestations. */
  readonly judge: JudgeStatement;
  readonly denied: DeniedEvidence;
  readonly clock: Clock;
  readonly lifetimes: VerdictLifetimes;
  readonly limits: VerificationLimits;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface VerdictLifetimes {
  readonly trustedMs: number;
  readonly untrustedMs: number;
}

/** Bounds of one verification, and of what is remembered of earlier ones. */
export interface VerificationLimits extends BudgetLimits {
  /** Manifests and envelopes fetched at the same time. */
  readonly concurrency: number;
  /** The longest that the search of one place may take, in milliseconds. */
  readonly placeMs: number;
  /** The same for one manifest or envelope. */
  readonly readMs: number;
  /** Bytes of envelopes in memory at the same time, of all verifications together. */
  readonly maxBytesAtOnce: number;
  /** Envelopes that are read at most of one manifest. */
  readonly maxEnvelopes: number;
  /** Reports that a verdict carries at most, and as many words on what was passed over. */
  readonly maxReports: number;
  /** Candidates of all subjects that are remembered as untrusted. */
  readonly maxRemembered: number;
  /** After so long they are examined again, in milliseconds. */
  readonly maxRememberedMs: number;
  /** Platform children that are verified at most for one index. */
  readonly maxPlatforms: number;
  /** A verdict that rests on logged failures (level permissive) lives no longer. */
  readonly permissiveMs: number;
}
