import type { Digest } from '../oci/digest.ts';

/** TUF's top-level roles (TUF specification, section 2.1). */
export const bundleRoles = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type BundleRole = (typeof bundleRoles)[number];

/** What trust in a bundle's metadata begins with; plain data, which may be kept. */
export interface TrustedMetadata {
  /** `root.json`, byte for byte: pinned, or the newest that it led to. */
  readonly root: Uint8Array;
  /** Of the newest bundle that was trusted; undefined: there was none yet. */
  readonly seen: SeenMetadata | undefined;
}

/** Versions below these are refused (TUF specification, sections 5.4.3 and 5.5.5). */
export interface SeenMetadata {
  readonly timestamp: number;
  readonly snapshot: number;
  readonly targets: number;
  /** SHA-256 of the snapshot metadata. */
  readonly digest: Digest;
}
