import type { Clock } from '../kernel/clock.ts';
import { headerOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import { parseRetryAfter } from './retry-after.ts';
import {
  UpstreamError,
  type UpstreamErrorCode,
  type UpstreamErrorOptions,
} from './upstream-error.ts';

interface StatusErrorOptions extends UpstreamErrorOptions {
  /** What the answer says of it. */
  readonly detail?: string;
}

/** A status that says that there is no answer. */
export class StatusError extends UpstreamError {
  /** Whether the server calls it its own, passing fault: a retry mends nothing else. */
  readonly passing: boolean;
  readonly status: number;

  constructor(code: UpstreamErrorCode, status: number, options: StatusErrorOptions) {
    const { detail = '' } = options;
    super(code, `answered with status ${status}${detail === '' ? '' : `: ${detail}`}`, options);
    this.status = status;
    this.passing = status === 408 || status === 429 || (status >= 500 && status !== 501);
  }
}

type Answer = Pick<WireAnswer, 'status' | 'headers'>;

/**
 * What a status means for a pull: undefined for 200, for 404, the only one that says "does not
 * exist", for a HEAD that is not supported, and for a range's own statuses; otherwise the error to
 * throw.
 */
export function judgeStatus(
  answer: Answer,
  method: 'GET' | 'GET of a range' | 'HEAD',
  clock: Clock,
): StatusError | undefined {
  const { status } = answer;
  if (status === 200 || status === 404) return undefined;
  if (method === 'GET of a range' && (status === 206 || status === 416)) return undefined;
  if (method === 'HEAD' && (status === 405 || status === 501)) return undefined;
  const retryAfterSeconds = parseRetryAfter(headerOf(answer, 'retry-after'), clock.now());
  return new StatusError(codeFor(status), status, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

export function codeFor(status: number): UpstreamErrorCode {
  if (status === 401 || status === 403) return 'UPSTREAM_UNAUTHORIZED';
  return status === 429 ? 'UPSTREAM_RATE_LIMITED' : 'UPSTREAM_FAILED';
}
