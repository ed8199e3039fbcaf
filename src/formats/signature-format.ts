import type { NonEmpty } from '../kernel/non-empty.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { Enforcement } from '../verdict/check.ts';
import type { Identity } from '../verdict/identity.ts';
import type { IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { Reason } from '../verdict/reason.ts';

/** One way to encode a signature, and the checks that belong to it. */
export interface SignatureFormat {
  /** Stable: stands in reports, logs and metrics. */
  readonly id: string;
  /** Every check, in the order in which they run. */
  readonly checks: NonEmpty<CheckDeclaration>;
  /** The most that an envelope may weigh, in bytes. */
  readonly maxEnvelopeBytes: number;
  /** Artifact types that a list of referrers may show for it: such referrers are read first. */
  readonly artifactTypes: readonly string[];
  /** Whether the manifest has the shape of a signature in this format; its layer is the envelope. */
  recognizes(manifest: ImageManifest): boolean;
  /** Lays out the checks of one envelope; none has run yet and nothing is believed yet. */
  examine(
    untrustedEnvelope: Uint8Array,
    subject: Descriptor,
    requirement: IdentityRequirement,
    context: ExaminationContext,
  ): Examination;
}

export interface CheckDeclaration {
  readonly id: string;
  /** The specification and section that asks for it. */
  readonly rule: string;
}

export interface ExaminationContext {
  readonly now: Date;
  readonly trust: TrustMaterial;
}

export interface Examination {
  /** One for each declared check, in the same order. */
  readonly steps: NonEmpty<CheckStep>;
  /** What the checks that passed have proven; asked for after they ran. */
  proven(): Proven;
}

export interface Proven {
  readonly signer?: Identity;
  /** The earliest end of what the checks relied upon. */
  readonly validUntil?: Date;
}

export interface CheckStep extends CheckDeclaration {
  /** May depend on what earlier steps read, so it is asked for when the step's turn has come. */
  enforcement(): Enforcement;
  /** Returns a finding; throws only `EnvelopeError` (failed) or `TrustError` (inconclusive). */
  run(): Finding | Promise<Finding>;
}

export type Finding =
  | { readonly outcome: 'passed'; readonly evidence?: Readonly<Record<string, string>> }
  | { readonly outcome: 'failed'; readonly because: string; readonly reason: Reason }
  | { readonly outcome: 'skipped'; readonly because: string }
  | { readonly outcome: 'inconclusive'; readonly because: string; readonly reason: Reason };
