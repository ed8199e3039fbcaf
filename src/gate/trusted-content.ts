import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference, Tag } from '../oci/reference.ts';
import type { Repository } from '../oci/repository.ts';
import type { Handover, HandoverTakers } from '../storage/handover.ts';
import type { PieceStream } from '../storage/read-pieces.ts';
import type { Verdict } from '../verdict/verdict.ts';

/** Content that the gate let through. Only gate/admission.ts makes one; routes send nothing else. */
export type Trusted<T> = T & { readonly [admitted]: true };
declare const admitted: unique symbol;

/** Why content is served: for headers, logs and metrics. */
export interface Admission {
  /** The verdict of the root that vouches; undefined for evidence that speaks of an admitted subject. */
  readonly verdict: Verdict | undefined;
  readonly by: 'verdict' | 'exemption' | 'audit' | 'evidence';
  /** Texts for `Warning: 299`: audit mode, exemption, stale tag. */
  readonly warnings: readonly string[];
  /** Where the answer came from. */
  readonly cache: 'memory' | 'state' | 'upstream';
  /** The digests of all that vouches for it, so that a denial of any of them is one of it. */
  readonly through: readonly Digest[];
}

export type TrustedManifest = Trusted<{
  readonly bytes: Uint8Array;
  /** Media type, digest and size as verified. */
  readonly descriptor: Descriptor;
  readonly admission: Admission;
}>;

export type TrustedBlob = Trusted<{
  /** `size` is what the verified parent states. */
  readonly descriptor: Descriptor;
  readonly admission: Admission;
  /**
   * A stream that can't end well with other bytes than the descriptor names: its last 64 KiB come
   * only once the hash matches. Resolves when upstream's headers have come.
   */
  open(signal: AbortSignal): Promise<PieceStream>;
  /**
   * The same for a part, where it can be had without giving unverified bytes for a complete
   * answer; otherwise the stream is the whole blob, and `range` undefined. Absent: `open` it is.
   */
  openRange?(range: ByteRange, signal: AbortSignal): Promise<OpenedRange>;
  /** Whoever can send all of it in our place, verified as it is; undefined: nobody at the moment. */
  handOver?(takers: HandoverTakers, signal: AbortSignal): Promise<Handover | undefined>;
  /** All bytes, verified before any is given, where they are at hand (manifests, configs kept). */
  readonly bytes?: Uint8Array;
  /** The same, of small blobs that are in memory at the moment. */
  bytesNow?(): Uint8Array | undefined;
}>;

/** Offsets of the first and the last byte, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface OpenedRange {
  readonly stream: PieceStream;
  /** What the stream is; undefined: all of the blob. */
  readonly range: ByteRange | undefined;
}

export type TrustedReferrers = Trusted<{
  /** Each of them would be served if asked for. */
  readonly descriptors: readonly Descriptor[];
}>;

export type TrustedTags = Trusted<{
  readonly tags: readonly Tag[];
  readonly more: boolean;
}>;

/**
 * The decision to serve. Every method throws `DeniedError`, `NotFoundError` or `UnavailableError`
 * where it does not admit.
 */
export interface Gate {
  /** What was admitted a moment ago and still is, without waiting; undefined: ask `admitManifest`. */
  manifestAtHand(repository: Repository, reference: Reference): TrustedManifest | undefined;
  admitManifest(
    repository: Repository,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<TrustedManifest>;
  /** The same for a blob: `admitBlob`. */
  blobAtHand(repository: Repository, digest: Digest): TrustedBlob | undefined;
  admitBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<TrustedBlob>;
  /**
   * For an answer that takes its time: calls `cut`, once, if what it sends is denied before the
   * returned function is called; at once if it is already.
   */
  whileSent(
    repository: Repository,
    sent: TrustedManifest | TrustedBlob,
    cut: (because: string) => void,
  ): () => void;
  admitReferrers(
    repository: Repository,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<TrustedReferrers>;
  listTags(
    repository: Repository,
    query: { readonly limit: number; readonly last?: Tag },
    signal: AbortSignal,
  ): Promise<TrustedTags>;
}
