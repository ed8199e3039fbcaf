import type { NonEmpty } from '../kernel/non-empty.ts';
import type { Annotations, Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import type { Tag } from '../oci/reference.ts';
import type { VerificationPlugins } from '../plugins/verification-plugin.ts';
import type { RevocationSource } from '../trust/revocation-source.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { TrustedTime } from '../trust/trusted-time.ts';
import type { Enforcement } from '../verdict/check.ts';
import type { Identity } from '../verdict/identity.ts';
import type { IdentityFamily, IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { Reason } from '../verdict/reason.ts';
import type { ReadApart } from './sigstore/read-apart.ts';

/** One way to encode a signature, and the checks that belong to it. */
export interface SignatureFormat {
  /** Stable: stands in reports, logs and metrics. */
  readonly id: string;
  /** The identities that it can prove. */
  readonly family: IdentityFamily;
  /** Every check, in the order in which they run. */
  readonly checks: NonEmpty<CheckDeclaration>;
  /** The most that an envelope may weigh, in bytes. */
  readonly maxEnvelopeBytes: number;
  /** Artifact types that a list of referrers may show for it: such referrers are read first. */
  readonly artifactTypes: readonly string[];
  /**
   * The layers that are envelopes where the manifest has the shape of this format, each a signature
   * of its own; none otherwise.
   */
  envelopesOf(manifest: ImageManifest): readonly Descriptor[];
  /**
   * Tags under which signatures of the subject may lie, beside its referrers. What lies there need
   * not have a `subject`: then it is the payload alone that binds it.
   */
  tags?(subject: Digest): readonly Tag[];
  /**
   * Tells by unsigned annotations whether one of the identities may have made a signature: this
   * orders what is examined, and neither accepts nor drops anything.
   */
  hints?(
    requirements: readonly IdentityRequirement[],
    trust: TrustMaterial,
  ): (annotations: Annotations) => boolean;
  /** Lays out the checks of one envelope; none has run yet and nothing is believed yet. */
  examine(
    untrusted: UntrustedEnvelope,
    subject: Descriptor,
    requirement: IdentityRequirement,
    context: ExaminationContext,
  ): Examination;
}

/** Bytes that have the digest of a layer, and what the manifest says beside them. */
export interface UntrustedEnvelope {
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface CheckDeclaration {
  readonly id: string;
  /** The specification and section that asks for it. */
  readonly rule: string;
}

export interface ExaminationContext extends ExaminationSources {
  readonly now: Date;
  readonly trust: TrustMaterial;
  /** Where the subject is, as policies name it, such as `ghcr.io/acme/app`. */
  readonly scope: string;
  /** Its other names, whole, such as `index.docker.io/library/nginx`: where it is fetched from. */
  readonly aliases: readonly string[];
  readonly signal: AbortSignal;
}

/** What an examination may ask beyond the bytes and the trust material. */
export interface ExaminationSources {
  readonly revocation: RevocationSource;
  readonly plugins: VerificationPlugins;
  /** Reads large envelopes where nobody waits for it. */
  readonly readApart: ReadApart;
}

export interface Examination {
  /** One for each declared check, in the same order. */
  readonly steps: NonEmpty<CheckStep>;
  /** What the checks that passed have proven; asked for after they ran. */
  proven(): Proven;
}

export interface Proven {
  readonly signer?: Identity;
  /** The statement that was signed, where it says more than that the subject is vouched for. */
  readonly statement?: ProvenStatement;
  /** When the signature was made, where an authority that the policy trusts says so. */
  readonly trustedTime?: TrustedTime;
  /** The earliest end of what the checks relied upon. */
  readonly validUntil?: Date;
}

/** An in-toto statement about the subject, by the signer. */
export interface ProvenStatement {
  readonly predicateType: string;
  /** The whole statement as it was signed. */
  readonly payload: Uint8Array;
  /** The latest trusted time by which it was signed; undefined where none is proven. */
  readonly signedBy?: Date;
}

export interface CheckStep extends CheckDeclaration {
  /** May depend on what earlier steps read, so it is asked for when the step's turn has come. */
  enforcement(): Enforcement;
  /** Returns a finding; throws `EnvelopeError` (failed), or what kept us from finding out. */
  run(): Finding | Promise<Finding>;
}

export type Finding =
  | { readonly outcome: 'passed'; readonly evidence?: Readonly<Record<string, string>> }
  | { readonly outcome: 'failed'; readonly because: string; readonly reason: Reason }
  | { readonly outcome: 'skipped'; readonly because: string }
  | { readonly outcome: 'inconclusive'; readonly because: string; readonly reason: Reason };
