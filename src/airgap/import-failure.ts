import { systemCodeOf, TaggedError } from '../kernel/tagged-error.ts';
import { isFull, writeFailure } from './file-failure.ts';

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
