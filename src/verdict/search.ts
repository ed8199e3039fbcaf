import type { Digest } from '../oci/digest.ts';

/** Where signatures of a subject were looked for, and what became of what was found. */
export interface Search {
  readonly places: readonly SearchedPlace[];
  /** Some of what was found there and is no signature of the subject. */
  readonly passedOver: readonly PassedOver[];
  /** How many manifests and envelopes nobody looked at, within the limits of one verification. */
  readonly unexamined: number;
  /** How many reports the verdict leaves out. */
  readonly unlisted: number;
}

export interface SearchedPlace {
  /** Such as `tag sha256-….sig`, with the repository where it is another. */
  readonly place: string;
  /** Manifests that were named there. */
  readonly found: number;
  /** Why there may be more. */
  readonly incomplete?: string;
}

export interface PassedOver {
  readonly digest: Digest;
  readonly because: string;
}
