import { AirgapError, type AirgapErrorCode } from '../airgap/airgap-error.ts';

/**
 * Whose turn it is after an `AirgapError`. `bundle`: it is not to be believed, here or ever.
 * `moment`: something is missing, or in the way, that may come or go. `site`: whoever runs this
 * has to set something right. `usage`: what was asked for can't be meant.
 */
export type AirgapBlame = 'bundle' | 'moment' | 'site' | 'usage';

const blames: Readonly<Partial<Record<AirgapErrorCode, AirgapBlame>>> = {
  METADATA_MALFORMED: 'bundle',
  METADATA_SIGNATURE: 'bundle',
  METADATA_EXPIRED: 'bundle',
  METADATA_ROLLBACK: 'bundle',
  METADATA_MISMATCH: 'bundle',
  STREAM_MISMATCH: 'bundle',
  FORK: 'bundle',
  TARGET_MISMATCH: 'bundle',
  DOCUMENT_MALFORMED: 'bundle',
  INDEX_MALFORMED: 'bundle',
  VOLUMES_MALFORMED: 'bundle',
  VOLUME_FOREIGN: 'bundle',
  VOLUME_TRUNCATED: 'bundle',
  CHUNK_CORRUPT: 'bundle',
  CONTENT_MISMATCH: 'bundle',
  TAG_ROLLBACK: 'bundle',
  UNTRUSTED_IMAGE: 'bundle',
  LAYOUT_NAMES: 'bundle',
  LAYOUT_MALFORMED: 'bundle',
  TOO_MANY_IMAGES: 'bundle',
  TRUST_FILE_MALFORMED: 'bundle',
  CLOCK_BEHIND: 'site',
  ROOT_MISSING: 'site',
  STORE_DAMAGED: 'site',
  KEYS_UNUSABLE: 'site',
  RECORD_DAMAGED: 'site',
  BUNDLE_FINISHED: 'usage',
  BUNDLE_AMBIGUOUS: 'usage',
  FOLDER_MISSING: 'usage',
  FOLDER_OCCUPIED: 'usage',
  SEQUENCE_UNKNOWN: 'usage',
  RECEIPT_INVALID: 'usage',
  EXPORT_REFUSED: 'usage',
  REPOSITORY_UNCLEAR: 'usage',
  LAYOUT_MISSING: 'usage',
  DESTINATION_INVALID: 'usage',
};

/** Undefined for any other error. */
export function blameOf(error: unknown): AirgapBlame | undefined {
  return error instanceof AirgapError ? (blames[error.code] ?? 'moment') : undefined;
}
