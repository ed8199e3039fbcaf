import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference, Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { Handover, HandoverTakers } from '../storage/handover.ts';
import type { PieceStream } from '../storage/read-pieces.ts';
import type { UpstreamError } from './upstream-error.ts';

/**
 * Anything that yields manifests, blobs and referrers: an upstream registry, an image layout in a
 * folder, what we kept, later an air-gap bundle. `undefined` means that it does not exist;
 * "could not find out" is an `UpstreamError`. Every call ends by its signal or its own deadline.
 */
export interface ContentSource {
  /** Where the tag points now, by the cheapest means (HEAD). A hint until the bytes are hashed. */
  resolveTag(
    path: RepositoryPath,
    tag: Tag,
    signal: AbortSignal,
    wish?: TagWish,
  ): Promise<Digest | undefined>;

  /** The manifest's exact bytes, at most 4 MiB; by digest only bytes that have that digest. */
  fetchManifest(
    path: RepositoryPath,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<ManifestContent | undefined>;

  /** The size that the source states for a blob. */
  statBlob(
    path: RepositoryPath,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<BlobStat | undefined>;

  /** The blob's bytes. Unless it says `proof`, the reader passes them through `matching`. */
  openBlob(
    path: RepositoryPath,
    digest: Digest,
    signal: AbortSignal,
    wish?: BlobWish,
  ): Promise<BlobContent | undefined>;

  /** All bytes of a blob that are in memory, verified, at the moment. */
  blobAtHand?(
    path: RepositoryPath,
    content: Pick<Descriptor, 'digest' | 'size'>,
  ): Uint8Array | undefined;

  /** Whoever can send the blob in our place, all bytes of which were verified; undefined: nobody. */
  handOver?(
    path: RepositoryPath,
    content: Pick<Descriptor, 'digest' | 'size'>,
    takers: HandoverTakers,
    signal: AbortSignal,
  ): Promise<Handover | undefined>;

  /** One page of tags in the source's order. */
  listTags(path: RepositoryPath, page: TagQuery, signal: AbortSignal): Promise<TagPage | undefined>;

  /**
   * Every referrer of the digest from every place where the source may keep them (referrers API
   * and tag schema), each once. Descriptors are hints until the manifests are read. Where a place
   * can't be asked, or lists more than may be listed, and nothing was found, it throws.
   */
  listReferrers(path: RepositoryPath, digest: Digest, signal: AbortSignal): Promise<FoundReferrers>;

  close(): Promise<void>;
}

export interface ManifestContent {
  readonly bytes: Uint8Array;
  /** Computed from the bytes, by the algorithm asked for (sha256 for a tag). */
  readonly digest: Digest;
  /** The Content-Type without parameters, if the source stated one. */
  readonly contentType: string | undefined;
}

export interface FoundReferrers {
  readonly found: readonly Descriptor[];
  /** Why there may be more of them: "empty" from one place is not "none". */
  readonly incomplete?: UpstreamError;
}

export interface TagWish {
  /** The asker has an older answer that will do: an upstream that is short of requests is not asked. */
  readonly isRenewal?: boolean;
}

export interface BlobStat {
  /** Bytes; undefined when the source does not say. */
  readonly size: number | undefined;
}

export interface BlobWish {
  /** What an admitted parent states; a source that keeps content keeps only what has one. */
  readonly size?: number | undefined;
  /** Bytes from `first` to `last`, both included; the source may give the whole blob instead. */
  readonly range?: BlobRange | undefined;
  /** A strong ETag: the range only if the content still has it. */
  readonly ifRange?: string | undefined;
}

export interface BlobRange {
  readonly first: number;
  /** Undefined: to the end. */
  readonly last?: number | undefined;
}

export interface BlobContent extends BlobStat {
  readonly stream: PieceStream;
  /** What part of the blob the stream is; undefined: all of it. */
  readonly range?: BlobRange | undefined;
  /**
   * `stored`: the hash was checked before. `withheld`: the stream ends well only if the hash
   * matches. Undefined: nobody has looked at the bytes.
   */
  readonly proof?: 'stored' | 'withheld' | undefined;
  /** Upstream's strong ETag. */
  readonly etag?: string | undefined;
}

export interface TagQuery {
  /** At most so many (1 to 1000). */
  readonly limit: number;
  /** Only tags after this one. */
  readonly last?: Tag;
}

export interface TagPage {
  readonly tags: readonly Tag[];
  /** There are more after the last one. */
  readonly more: boolean;
}
