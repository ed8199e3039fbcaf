import type { Digest } from '../oci/digest.ts';
import type { Reason } from '../verdict/reason.ts';
import type { BundleDocument, Sequence } from './bundle.ts';
import type { Collected } from './collect-store.ts';

/** What became of an import. */
export interface ImportReport {
  /**
   * `published`: it is in force. `held`: it was before. `verified`: it would be, and nothing else
   * was asked for. `refused`: images are not admitted here, and nothing changed.
   */
  readonly outcome: 'published' | 'held' | 'verified' | 'refused';
  readonly stream: string;
  readonly sequence: Sequence;
  readonly kind: BundleDocument['kind'];
  readonly snapshot: Digest;
  readonly created: Date;
  /** Undefined where nothing is in force. */
  readonly generation: number | undefined;
  readonly images: readonly ImageOutcome[];
  /** Entries that came to the deny list. */
  readonly denied: number;
  /** Bytes of content: read, and here before. */
  readonly readBytes: number;
  readonly heldBytes: number;
  readonly revocationAsOf: Date | undefined;
  readonly revocationAgeMs: number | undefined;
  /** Undefined where nothing is in force. */
  readonly receipt: string | undefined;
  /** Of what was published before; undefined where nothing is in force. */
  readonly freed: Collected | undefined;
}

/** What the policy here says of an image of the bundle. */
export interface ImageOutcome {
  /** In full, with its tag or digest. */
  readonly reference: string;
  readonly digest: Digest;
  /**
   * `waived`: admitted without trust, by an exemption or in audit mode. `unclear`: it could not be
   * found out whether it is to be trusted.
   */
  readonly outcome: 'trusted' | 'waived' | 'denied' | 'unclear';
  /** The verdict's id. */
  readonly verdict?: string;
  readonly reason?: Reason;
  readonly because?: string;
  readonly warnings: readonly string[];
}

export function isAdmitted({ outcome }: Pick<ImageOutcome, 'outcome'>): boolean {
  return outcome === 'trusted' || outcome === 'waived';
}

/** How far an import has come. */
export interface ImportProgress {
  readonly step: 'metadata' | 'index' | 'volumes' | 'images';
  readonly doneBytes: number;
  readonly totalBytes: number;
}
