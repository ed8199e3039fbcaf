import { TaggedError } from '../kernel/tagged-error.ts';

export type UpstreamErrorCode =
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TIMEOUT'
  /** Our own credentials are missing or refused. */
  | 'UPSTREAM_UNAUTHORIZED'
  | 'UPSTREAM_RATE_LIMITED'
  /** Answers of the 5xx kind, and statuses that make no sense here. */
  | 'UPSTREAM_FAILED'
  /** An answer that breaks the protocol: a wrong digest, no JSON, too many pages. */
  | 'UPSTREAM_MISBEHAVED'
  | 'UPSTREAM_TOO_LARGE'
  /** A redirect, realm or link that leads where we do not go. */
  | 'UPSTREAM_LEADS_ASTRAY';

export interface UpstreamErrorOptions extends ErrorOptions {
  /** From upstream's Retry-After, capped. */
  readonly retryAfterSeconds?: number;
}

/** We could not find out from an upstream. "Does not exist" is no error but `undefined`. */
export class UpstreamError extends TaggedError<UpstreamErrorCode> {
  readonly retryAfterSeconds: number | undefined;

  constructor(code: UpstreamErrorCode, message: string, options: UpstreamErrorOptions = {}) {
    super(code, message, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export type NotAskedBecause = 'circuit' | 'queue' | 'rate-limit';

/**
 * The upstream was not even asked: it failed too often of late, too many wait for it, or it allows
 * no more.
 */
export class NotAskedError extends UpstreamError {
  readonly because: NotAskedBecause;

  constructor(
    because: NotAskedBecause,
    code: UpstreamErrorCode,
    message: string,
    retryAfterSeconds: number,
  ) {
    super(code, message, { retryAfterSeconds });
    this.because = because;
  }
}
