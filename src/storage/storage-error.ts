import { TaggedError } from '../kernel/tagged-error.ts';

export type StorageErrorCode = 'STORAGE_FAILED' | 'CONTENT_MISMATCH';

export class StorageError extends TaggedError<StorageErrorCode> {}
