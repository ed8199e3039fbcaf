import { messageOf, systemCodeOf } from '../kernel/tagged-error.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether the system said that there is no room. */
export function isFull(error: unknown): boolean {
  return fullCodes.has(systemCodeOf(error));
}

/** A file that could not be written: NO_SPACE where the disk, or what one file may be, is full. */
export function writeFailure(path: string, cause: unknown): AirgapError {
  if (cause instanceof AirgapError) return cause;
  // Durable files wrap what the system said.
  const system = cause instanceof StorageError ? cause.cause : cause;
  const message = `${path} can not be written: ${messageOf(system)}`;
  return new AirgapError(isFull(system) ? 'NO_SPACE' : 'WRITE_FAILED', message, { cause });
}

export function readFailure(path: string, cause: unknown): AirgapError {
  if (cause instanceof AirgapError) return cause;
  const message = `${path} can not be read: ${messageOf(cause)}`;
  return new AirgapError('READ_FAILED', message, { cause });
}
