import type { Readable } from 'node:stream';

/**
 * What is asked of an object storage (S3): one bucket, one request a call. Each rejects with the
 * service's error, which carries `$metadata.httpStatusCode` where there was an answer, or with
 * the signal's reason.
 */
export interface ObjectClient {
  head(key: string, signal: AbortSignal): Promise<ObjectInfo>;
  /**
   * All of it, or from `start` on. Resolves with the headers; `size` is the whole object's.
   * Undefined where it can't be had from there.
   */
  get(key: string, start: number, signal: AbortSignal): Promise<ObjectAnswer | undefined>;
  /** Resolves with its entity tag, as the others that make an object do. */
  put(key: string, bytes: Uint8Array, says: ObjectWords, signal: AbortSignal): Promise<Tag>;
  /** Up to 5 GiB (S3's bound), and only while the source has the entity tag. */
  copy(wish: CopyWish, signal: AbortSignal): Promise<Tag>;
  /** Also where it is not there. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /** Resolves with the upload's id. Nobody sees the object before `completeUpload`. */
  beginUpload(key: string, says: ObjectWords, signal: AbortSignal): Promise<string | undefined>;
  uploadPart(upload: Upload, part: number, bytes: Uint8Array, signal: AbortSignal): Promise<Tag>;
  copyPart(upload: Upload, part: number, from: PartWish, signal: AbortSignal): Promise<Tag>;
  completeUpload(upload: Upload, etags: readonly string[], signal: AbortSignal): Promise<Tag>;
  abortUpload(upload: Upload, signal: AbortSignal): Promise<void>;
  /** The first thousand. */
  listUploads(prefix: string, signal: AbortSignal): Promise<readonly UnfinishedUpload[]>;
  /** A thousand of them after that key, in the order of keys. */
  list(
    prefix: string,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly FoundObject[]>;
  /** A URL by which anybody may read it for so long; asks nobody. */
  presign(key: string, seconds: number): Promise<string>;
  close(): void;
}

/** Names one version of an object. It is compared with itself alone, and never taken for a hash. */
type Tag = string | undefined;

export interface ObjectInfo {
  /** Bytes; undefined where the service does not say. */
  readonly size: number | undefined;
  readonly etag: Tag;
}

export interface ObjectAnswer extends ObjectInfo {
  readonly stream: Readable;
}

/** What goes along with an object. */
export interface ObjectWords {
  /** For whoever looks into the bucket. */
  readonly digest: string;
  /** Base64, for the service to compare. */
  readonly sha256?: string | undefined;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

export interface CopyWish {
  readonly from: string;
  readonly etag: string;
  readonly to: string;
}

/** Bytes of another object from `first` to `last`, both included. */
export interface PartWish {
  readonly from: string;
  readonly etag: string;
  readonly first: number;
  readonly last: number;
}

export interface UnfinishedUpload extends Upload {
  readonly begunAt: Date;
}

export interface FoundObject {
  readonly key: string;
  readonly size: number;
  readonly changedAt: Date;
}
