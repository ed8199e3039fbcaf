import type { NonEmpty } from '../kernel/non-empty.ts';
import type { Digest } from '../oci/digest.ts';
import type {
  IdentityRequirement,
  NotationTrustStoreName,
} from '../verdict/identity-requirement.ts';
import type { AttestationRequirement } from './attestation.ts';
import type { TagRules } from './tag-rules.ts';

/** The operator's statement of who must have signed what, loaded whole and never changed in place. */
export interface TrustPolicy {
  /** SHA-256 over the policy's meaning, lower-case hex. */
  readonly digest: string;
  readonly revision: number | undefined;
  readonly rules: readonly Rule[];
  /**
   * The first rule that matches the repository and digest at that time. Exemptions that have
   * ended are as if absent; a rule whose audit mode has ended comes back without `audit`.
   */
  ruleFor(scope: string, subject: Digest, at: Date): Rule | undefined;
  /** Whether there is a rule at all that could match something in the repository. */
  hasRuleIn(scope: string): boolean;
  /**
   * What the named identity demands in this scope; undefined where its own Notation trust policy
   * has no statement for the scope (then nothing satisfies it there).
   */
  requirementOf(identity: string, scope: string): IdentityRequirement | undefined;
}

export type Rule = RequireRule | ExemptRule;

interface RuleCommon {
  /** Where it stands, such as `rule 2 (line 14)`. */
  readonly name: string;
  /** SHA-256 over the rule and the identities that it refers to, lower-case hex. */
  readonly digest: string;
  /** When this answer of `ruleFor` stops being right by itself: an end of an exemption or audit mode. */
  readonly until: Date | undefined;
}

export interface RequireRule extends RuleCommon {
  readonly kind: 'require';
  readonly requirement: Requirement;
  /** `index`: a verified index vouches for its children. `platforms`: each child itself. */
  readonly covers: 'index' | 'platforms';
  /** Serve what fails, visibly, until then. */
  readonly audit: { readonly until: Date } | undefined;
  /** What it asks of tags, if anything. */
  readonly tags: TagRules | undefined;
  /** Every trust store that its identities refer to. */
  readonly trustStores: readonly NotationTrustStoreName[];
  /** Every Sigstore root that its identities refer to, by its name in the configuration. */
  readonly sigstoreRoots: readonly string[];
  /** Every identity that the requirement names, each once. */
  readonly identities: NonEmpty<string>;
  /** Every attestation that the requirement names, each once. */
  readonly attestations: readonly AttestationRequirement[];
}

export interface ExemptRule extends RuleCommon {
  readonly kind: 'exempt';
  readonly reason: string;
  readonly owner: string;
  readonly until: Date;
}

export type Requirement =
  | Leaf
  | { readonly allOf: NonEmpty<Requirement> }
  | { readonly anyOf: NonEmpty<Requirement> }
  | { readonly atLeast: { readonly count: number; readonly of: NonEmpty<Requirement> } };

/** What one signature or one attestation can meet. */
export type Leaf = { readonly signedBy: string } | { readonly attestation: AttestationRequirement };
