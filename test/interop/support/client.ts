import type { Digest } from '../../../src/oci/digest.ts';
import type { Ended } from './process.ts';

/** A real client that pulls through the proxy. */
export interface Client {
  readonly name: ClientName;
  /**
   * `all` takes an index with all that it lists; `platform-and-index` keeps the index and takes
   * this machine's child; `platform` keeps the child alone.
   */
  readonly takes: 'all' | 'platform-and-index' | 'platform';
  /**
   * What it prints of a denial: the `message` of the body, or the reason phrase alone since it
   * asks by HEAD.
   */
  readonly shows: 'message' | 'phrase';
  /** By upstream's key, repository and tag. */
  pull(key: string, repository: string, tag: string): Promise<Pulled>;
}

export type ClientName = 'skopeo' | 'podman' | 'containerd' | 'crane' | 'oras' | 'regctl';

export interface Pulled extends Ended {
  /** The bytes that the client keeps under a digest now. */
  readonly read: (digest: Digest) => Promise<Buffer | undefined>;
}
