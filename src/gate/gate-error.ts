import { TaggedError } from '../kernel/tagged-error.ts';
import type { Reason } from '../verdict/reason.ts';
import type { Verdict } from '../verdict/verdict.ts';

/** It exists, and the gate does not let it through. Carries the verdict that explains why. */
export class DeniedError extends TaggedError<'DENIED'> {
  readonly verdict: Verdict;
  readonly reason: Reason;

  constructor(verdict: Verdict, reason: Reason) {
    super('DENIED', verdict.because);
    this.verdict = verdict;
    this.reason = reason;
  }
}

/** The upstream says that it does not exist. */
export class NotFoundError extends TaggedError<
  'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'NAME_UNKNOWN'
> {}

export type UnavailableCode =
  /** Worth a retry: timeouts, 5xx, rate limits, an inconclusive verdict. */
  | 'UNAVAILABLE'
  /** Upstream refuses our credentials, or breaks the protocol: an operator must act. */
  | 'BAD_UPSTREAM';

/** For what is only sought to save work: an error that says "could not find out" is a miss. */
export function missIfUnavailable(error: unknown): undefined {
  if (!(error instanceof UnavailableError)) throw error;
}

/** We could not find out. Never "does not exist", never "unsigned". */
export class UnavailableError extends TaggedError<UnavailableCode> {
  readonly retryAfterSeconds: number;
  /** Present where a verdict was reached, and it is inconclusive. */
  readonly verdict: Verdict | undefined;

  constructor(
    code: UnavailableCode,
    message: string,
    options: ErrorOptions & { retryAfterSeconds?: number; verdict?: Verdict } = {},
  ) {
    super(code, message, options);
    this.retryAfterSeconds = options.retryAfterSeconds ?? 5;
    this.verdict = options.verdict;
  }
}

/** Bounds that a client, or all of them together, have reached. */
export type Limit = 'client-requests' | 'client-streams' | 'client-misses' | 'cold-requests';

/** Not looked at: this client, or all of them together, ask for more than one of our limits. */
export class OverLimitError extends TaggedError<'OVER_LIMIT'> {
  readonly limit: Limit;
  readonly retryAfterSeconds: number;

  constructor(limit: Limit, message: string, retryAfterSeconds: number) {
    super('OVER_LIMIT', message);
    this.limit = limit;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What keeps a deny list from being read, or from being changed. */
export class DenyListError extends TaggedError<
  /** What it denies can't be known: its seal does not fit, or it is damaged. */
  | 'DENY_LIST_UNREADABLE'
  /** It has as many entries as it may have. */
  | 'DENY_LIST_FULL'
  /** The change is not kept everywhere. */
  | 'DENY_LIST_UNWRITABLE'
> {}

/** A revision of the trust policy may not come into force, or nobody knows whether it may. */
export class PolicyRevisionError extends TaggedError<'POLICY_REVISION'> {}
