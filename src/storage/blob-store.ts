import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { PieceStream } from './read-pieces.ts';

/** Names exact bytes, and how many they are. */
export type ContentName = Pick<Descriptor, 'digest' | 'size'>;

/**
 * Content by digest, large or small. Nothing is in it that was not hashed on its way in; what is
 * in it needs no upstream. Several processes may share one: what one commits, all see. Methods
 * throw `StorageError` when the store can't say; callers then do without it.
 */
export interface BlobStore {
  /**
   * Opens what is stored, and notes that it was asked for. Undefined where there is nothing, or
   * a file of another length, which counts as nothing. The caller closes it. An `inspection`
   * leaves no note: nobody asked for the content.
   */
  open(content: ContentName, as?: 'inspection'): Promise<StoredBlob | undefined>;
  /**
   * Begins to store, alone among all processes; `taken` while another one does so, `stored` if it
   * is there by now. Goes on with what an earlier try left behind. The caller ends it by `commit`,
   * `keep` or `discard`, and then `release`. `beside`: although this process stores the same from
   * elsewhere at the moment.
   */
  begin(content: ContentName, beside?: 'beside'): Promise<Staging | 'taken' | 'stored'>;
  /** What another process is storing at the moment, to be read as it grows. */
  follow(content: ContentName): Promise<Followed | undefined>;
  stat(digest: Digest): Promise<StoredInfo | undefined>;
  /** Everything stored, in no order; what comes or goes meanwhile may be missed. */
  list(): AsyncIterable<StoredInfo>;
  /**
   * Takes content away at once, also from under readers, who still get all of it: `trash` is
   * deleted afterwards, `quarantine` is kept for a person to look at. False if it was not there.
   */
  remove(digest: Digest, into?: 'trash' | 'quarantine'): Promise<boolean>;
  /** Kept up to date by what this process does; `anew` looks at what others did, file by file. */
  usage(count?: 'anew'): Promise<StoreUsage>;
  health(): StoreHealth;
  /**
   * Tidies up what died left behind: trash, leases and partial content of dead processes, partial
   * content that nobody asked for again. Run once in the background after the start.
   */
  sweep(signal: AbortSignal): Promise<Swept>;
  /** Takes unfinished content away, but for what is being stored at the moment. */
  purgePartial(wish: PartialWish, signal: AbortSignal): Promise<Swept>;
  /** Deletes what was put aside and is too old, and of the rest the oldest until it fits. */
  trimQuarantine(bounds: QuarantineBounds): Promise<Swept>;
  /** The right to scrub in the background; undefined while another process does. */
  beginScrub(): Promise<ScrubLease | undefined>;
  /** Resolves when what is under way on disk has ended. */
  close(): Promise<void>;
}

export interface PartialWish {
  /** Undefined: any. */
  readonly digests?: ReadonlySet<Digest> | undefined;
  /** Only what nobody wrote to for longer; undefined: however short a time. */
  readonly unusedMs?: number | undefined;
}

export interface QuarantineBounds {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** Ends by itself some minutes after it was last renewed, or with its process. */
export interface ScrubLease {
  /** False once another process has taken over. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface StoredBlob {
  /** Bytes. */
  readonly size: number;
  /**
   * The bytes from `start` up to and without `end`, as fast as they are read, in large pieces and
   * bounded memory. Closes the blob at its end, however it ends.
   */
  read(start: number, end: number): PieceStream;
  /** For a blob that is not read after all; may be called twice. */
  close(): Promise<void>;
}

export interface StoredInfo extends ContentName {
  /** When it was last asked for; an hour coarse. */
  readonly lastAccess: Date;
  /** Open in this process at the moment. */
  readonly isOpen: boolean;
}

/** Content on its way in, in a file of its own. All offsets are bytes from the blob's start. */
export interface Staging {
  /** What is held at the beginning: an earlier try's bytes, hashed again, or 0. */
  readonly prefixBytes: number;
  /** What upstream gave as the content's validator (strong ETag) in the earlier try. */
  readonly validator: string | undefined;
  noteValidator(validator: string): Promise<void>;
  /** Hashes and writes. Rejects if it can't be written: then only `pass` and an end are left. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Hashes what follows without writing it, once nothing can be written any more. */
  pass(chunk: Uint8Array): void;
  /** Whether the bytes so far are exactly the content's: size and digest. Asked once, at the end. */
  matches(): boolean;
  /** Reads what was appended; also after the end, until `release`. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Makes it durable and puts it into its place. Throws unless it matches. */
  commit(): Promise<void>;
  /** Leaves what is here for a later try. */
  keep(): Promise<void>;
  discard(): Promise<void>;
  /** No more reads. */
  release(): Promise<void>;
}

/** Another process' staging, seen from outside. */
export interface Followed {
  /** How far it has got; `stored` once it is in its place, `lost` when that process gave it up. */
  progress(): Promise<number | 'stored' | 'lost'>;
  read(into: Uint8Array, position: number): Promise<number>;
  release(): Promise<void>;
}

export interface StoreUsage {
  readonly blobs: { readonly files: number; readonly bytes: number };
  /** Unfinished content, which counts against a quota too. */
  readonly partial: { readonly files: number; readonly bytes: number };
  /** What was put aside, until a person removes it; it counts against no quota. */
  readonly quarantined: { readonly files: number; readonly bytes: number };
  /** Of the file system; undefined where it does not say. */
  readonly free: { readonly bytes: number; readonly files: number } | undefined;
  /** Of what is free, the store leaves so much to others, full as it may be. */
  readonly reserve?: { readonly bytes: number; readonly files: number } | undefined;
}

export type StoreHealth =
  | { readonly state: 'writable' }
  /** After a write failed (full, broken, read-only disk); what is stored is still served. */
  | { readonly state: 'read-only'; readonly because: string };

export interface Swept {
  readonly files: number;
  readonly bytes: number;
}
