import { messageOf, systemCodeOf, TaggedError } from '../kernel/tagged-error.ts';
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

/** Runs what writes into the store; a disk that is full or broken is said by name. */
export async function intoStore<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A layer below has put its own words around what the system said.
    const cause = error instanceof TaggedError && error.cause !== undefined ? error.cause : error;
    throw /^E[A-Z0-9]+$/.test(systemCodeOf(cause)) ? writeFailure(path, cause) : error;
  }
}

/** The same for what nobody below has named, where the disk is full. */
export async function namingFull<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isFull(error) ? writeFailure(path, error) : error;
  }
}
