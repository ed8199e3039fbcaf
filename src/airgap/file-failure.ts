import { messageOf, systemCodeOf } from '../kernel/tagged-error.ts';
import { AirgapError } from './airgap-error.ts';

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A file that could not be written: NO_SPACE where the disk, or what one file may be, is full. */
export function writeFailure(path: string, cause: unknown): AirgapError {
  if (cause instanceof AirgapError) return cause;
  const isFull = fullCodes.has(systemCodeOf(cause));
  const message = `${path} can not be written: ${messageOf(cause)}`;
  return new AirgapError(isFull ? 'NO_SPACE' : 'WRITE_FAILED', message, { cause });
}

export function readFailure(path: string, cause: unknown): AirgapError {
  if (cause instanceof AirgapError) return cause;
  const message = `${path} can not be read: ${messageOf(cause)}`;
  return new AirgapError('READ_FAILED', message, { cause });
}
