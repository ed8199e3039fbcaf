import { TaggedError } from '../kernel/tagged-error.ts';

export type AirgapErrorCode =
  /** Metadata that must be there are not: the bundle is not finished, or not all of it came. */
  | 'METADATA_MISSING'
  /** Metadata that TUF's specification, or the bundle's format, does not allow. */
  | 'METADATA_MALFORMED'
  /** Fewer than a role's threshold of its keys have signed. */
  | 'METADATA_SIGNATURE'
  | 'METADATA_EXPIRED'
  /** It was made later than it is here: one of the two clocks is wrong. */
  | 'CLOCK_BEHIND'
  /** A role's version is below one that was trusted already. */
  | 'METADATA_ROLLBACK'
  /** A role's file is not the one that the role above it names: mixed from several bundles. */
  | 'METADATA_MISMATCH'
  /** It belongs to another stream of bundles. */
  | 'STREAM_MISMATCH'
  /** Another bundle of the same sequence number was trusted already. */
  | 'FORK'
  /** Bundles before it, which it builds upon, were never here. */
  | 'GAP'
  /** Nothing is where a bundle, or a part of it, was said to be. */
  | 'FOLDER_MISSING'
  /** Folders that were given as one bundle hold several. */
  | 'BUNDLE_AMBIGUOUS'
  /** A bundle is there and finished where one was to be written. */
  | 'BUNDLE_FINISHED'
  | 'TARGET_MISSING'
  /** A target is not what the targets metadata vouch for. */
  | 'TARGET_MISMATCH'
  /** `bundle.json` breaks the format. */
  | 'DOCUMENT_MALFORMED'
  /** `blobs.idx` breaks the format. */
  | 'INDEX_MALFORMED'
  /** `volumes.json` breaks the format. */
  | 'VOLUMES_MALFORMED'
  | 'VOLUME_MISSING'
  /** A volume of another bundle, or another one of this. */
  | 'VOLUME_FOREIGN'
  | 'VOLUME_TRUNCATED'
  /** A part of a volume has other bytes than were written. */
  | 'CHUNK_CORRUPT'
  /** A manifest or blob that the bundle speaks of is not in its index, or not in the store. */
  | 'BLOB_MISSING'
  /** Bytes are not the content that they were said to be. */
  | 'CONTENT_MISMATCH'
  /** Another process imports into the store at the moment. */
  | 'STORE_BUSY'
  | 'NO_SPACE'
  /** A tag's version would go down without a signed rollback. */
  | 'TAG_ROLLBACK'
  /** An image that the policy here does not admit. */
  | 'UNTRUSTED_IMAGE'
  /** Images of a plain layout have one name, or one that is not theirs to have. */
  | 'LAYOUT_NAMES'
  /** Nothing says which repository an image of a plain layout is of. */
  | 'REPOSITORY_UNCLEAR'
  /** Nothing is where an image layout was said to be. */
  | 'LAYOUT_MISSING'
  /** What is given as an image layout is none. */
  | 'LAYOUT_MALFORMED'
  /** More of it in one registry than a zone can serve. */
  | 'TOO_MANY_IMAGES'
  /** Carried revocation data that can't be read. */
  | 'TRUST_FILE_MALFORMED'
  /** The root to begin with is not given, or is none. */
  | 'ROOT_MISSING'
  /** What the store remembers was altered, set back, or lost. */
  | 'STORE_DAMAGED'
  /** Keys that are to sign a bundle are not there, can not be read, or are too few. */
  | 'KEYS_UNUSABLE'
  /** Another export is at work on the stream. */
  | 'STREAM_BUSY'
  /** The folder for the bundle holds something else. */
  | 'FOLDER_OCCUPIED'
  /** Nobody here knows what the bundle held that a delta is to build upon. */
  | 'SEQUENCE_UNKNOWN'
  /** What is given as a zone's receipt is none, or was mistyped. */
  | 'RECEIPT_INVALID'
  /** Where to publish is not said, or no registry. */
  | 'DESTINATION_INVALID'
  /** What was noted of earlier exports does not open. */
  | 'RECORD_DAMAGED'
  /** More than a bundle, or a layout, may have. */
  | 'EXPORT_REFUSED'
  | 'READ_FAILED'
  | 'WRITE_FAILED';

/** Why a bundle can't be written, believed or imported. */
export class AirgapError extends TaggedError<AirgapErrorCode> {}
