import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import type { Repository, RepositoryPath } from '../oci/repository.ts';
import type { DenyTarget } from '../verdict/denial.ts';

/**
 * Which of a stream's bundles; from 1, more with each: a number may be left out whose bundle was never
 * finished. Also the version of its metadata.
 */
export type Sequence = number;

/**
 * What a bundle says, its target `bundle.json`: the whole state of the stream, of which a delta
 * carries only what is new. Untrusted until TUF's targets metadata vouches for its bytes.
 */
export interface BundleDocument {
  /** Names the stream for ever: 32 hex digits, made by `airgap init`. */
  readonly stream: string;
  readonly sequence: Sequence;
  /** `revocation`: tombstones, denials and revocation answers alone, importable in an emergency. */
  readonly kind: 'content' | 'revocation';
  /** The bundle whose content this one takes to be there already; undefined: it is full. */
  readonly base: Sequence | undefined;
  /** The bundle before it, by the SHA-256 of its snapshot metadata; undefined for the first. */
  readonly previous: { readonly sequence: Sequence; readonly snapshot: Digest } | undefined;
  readonly created: Date;
  /** Assay's version. */
  readonly exporter: string;
  readonly images: readonly BundleImage[];
  /** Records that permit a tag to go back; signed as all of this is. */
  readonly rollbacks: readonly TagRollback[];
  /** What must no longer be served, whatever else trusts it. */
  readonly denials: readonly BundleDenial[];
  /** The oldest of what the bundle's revocation data says of itself; undefined: it has none. */
  readonly revocationAsOf: Date | undefined;
  /** Trust material that comes along, each a target of its own. */
  readonly trust: readonly TrustFile[];
}

export interface BundleImage {
  readonly repository: Repository;
  /** Undefined: it was listed by digest. */
  readonly tag: Tag | undefined;
  /** Grows each time the tag is pointed elsewhere; undefined without a tag. */
  readonly tagVersion: number | undefined;
  readonly root: Descriptor;
  /** Those below the root, at any depth, that come along. */
  readonly children: readonly Descriptor[];
  /** Signatures, attestations and SBOMs, on the root or on a child. */
  readonly evidence: readonly BundleEvidence[];
}

export interface BundleEvidence {
  readonly manifest: Descriptor;
  /** By which it is found where no referrers API leads to it, such as cosign's `sha256-….sig`. */
  readonly tag: Tag | undefined;
  /** Of the repository of the same upstream that it lies in; undefined: in the image's own. */
  readonly path: RepositoryPath | undefined;
}

export interface TagRollback {
  readonly repository: Repository;
  readonly tag: Tag;
  readonly to: Digest;
  readonly owner: string;
  readonly until: Date;
}

/** An entry of the deny list: of a digest, a repository, a key or an identity. */
export interface BundleDenial {
  readonly target: DenyTarget;
  readonly because: string;
  readonly since: Date;
}

/**
 * `path` is both the target's name and, below the store's folder for the generation, the file's:
 * `trust/policy.yaml`, `trust/x509/ca/NAME/FILE.pem`, `trust/sigstore/NAME.json`,
 * `trust/revocation/FILE.crl`. Each component is `[A-Za-z0-9_][A-Za-z0-9._-]*`.
 */
export interface TrustFile {
  readonly path: string;
  readonly kind: 'policy' | 'certificate' | 'trusted-root' | 'tuf-metadata' | 'key' | 'revocation';
}

/** One blob or manifest, a line of the target `blobs.idx`, in the order of its place in the volumes. */
export interface BlobRecord {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Where its bytes are, in their order; undefined: taken to be there since `base`. */
  readonly extents: readonly Extent[] | undefined;
}

export interface Extent {
  /** From 1. */
  readonly volume: number;
  /** Bytes from the volume's start, its header included. */
  readonly offset: number;
  readonly length: number;
}

/** The target `volumes.json`. */
export interface VolumeList {
  /** Bytes that one hash vouches for; the last chunk of a volume may be shorter. */
  readonly chunkBytes: number;
  readonly volumes: readonly Volume[];
}

export interface Volume {
  /** Its place in this list, from 1. */
  readonly number: number;
  /** Of its file, below `volumes/`. */
  readonly name: string;
  /** All of it, header included. */
  readonly bytes: number;
  readonly chunks: readonly Digest[];
}
