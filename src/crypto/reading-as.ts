import { EnvelopeError, type EnvelopeErrorCode } from './envelope-error.ts';

/**
 * What the reader returns. A malformed part of it, whatever its own code, makes the whole malformed
 * under the given one; an algorithm that is not supported stays what it is.
 */
export function readingAs<T>(code: EnvelopeErrorCode, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    const kept = cause.code === 'ALGORITHM_UNSUPPORTED' ? cause.code : code;
    throw new EnvelopeError(kept, `${what}: ${cause.message}`, { cause });
  }
}
