import { TaggedError } from '../kernel/tagged-error.ts';
import type { StorageErrorCode } from '../storage/storage-error.ts';
import type { UpstreamError, UpstreamErrorCode } from '../upstream/upstream-error.ts';
import { UnavailableError, type UnavailableCode } from './gate-error.ts';
import { isOutage } from './outage.ts';

const codes: Readonly<Record<UpstreamErrorCode | StorageErrorCode, UnavailableCode>> = {
  UPSTREAM_UNREACHABLE: 'UNAVAILABLE',
  UPSTREAM_TIMEOUT: 'UNAVAILABLE',
  UPSTREAM_UNAUTHORIZED: 'BAD_UPSTREAM',
  UPSTREAM_RATE_LIMITED: 'UNAVAILABLE',
  UPSTREAM_FAILED: 'UNAVAILABLE',
  UPSTREAM_MISBEHAVED: 'BAD_UPSTREAM',
  UPSTREAM_TOO_LARGE: 'BAD_UPSTREAM',
  UPSTREAM_LEADS_ASTRAY: 'BAD_UPSTREAM',
  // Of a source that keeps content: what was to be stored was not what it should be, or could not.
  CONTENT_MISMATCH: 'BAD_UPSTREAM',
  STORAGE_FAILED: 'UNAVAILABLE',
};

/**
 * Runs what reads from an upstream and turns its "could not find out" into the gate's. The
 * caller's own end (its signal) stays what it is; a deadline of ours is a reason to try again.
 */
export async function fromUpstream<T>(work: Promise<T>, waiting: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (waiting.aborted) throw waiting.reason;
    if (isUpstreamError(error)) {
      const { retryAfterSeconds } = error;
      throw new UnavailableError(codes[error.code], error.message, {
        cause: error,
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      });
    }
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      throw new UnavailableError('UNAVAILABLE', 'the upstream did not answer in time', {
        cause: error,
      });
    }
    if (isOutage(error)) {
      throw new UnavailableError('UNAVAILABLE', 'what was asked for can not be had at the moment', {
        cause: error,
      });
    }
    throw error;
  }
}

function isUpstreamError(error: unknown): error is UpstreamError {
  return error instanceof TaggedError && Object.hasOwn(codes, error.code);
}
