import type { OutgoingHttpHeaders } from 'node:http';
import {
  DeniedError,
  NotFoundError,
  OverLimitError,
  UnavailableError,
  type UnavailableCode,
} from '../gate/gate-error.ts';
import { isOutage } from '../gate/outage.ts';
import { TaggedError } from '../kernel/tagged-error.ts';
import type { OciErrorCode } from '../oci/error-code.ts';
import { MalformedError, type MalformedCode } from '../oci/malformed-error.ts';
import type { Reference } from '../oci/reference.ts';
import { reasons } from '../verdict/reason.ts';
import { denialMessage, shortReason } from './denial-message.ts';
import { RequestError } from './request-error.ts';

/** An answer that says no (distribution-spec, Error Codes). */
export interface OciFailure {
  readonly status: number;
  readonly code: OciErrorCode;
  readonly message: string;
  /** A string, since Docker prints nothing else. */
  readonly detail?: string;
  /** A few words for the reason phrase and `X-Assay-Reason`. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  readonly headers?: OutgoingHttpHeaders;
}

/** What of the request an answer may speak of. */
export interface FailureContext {
  readonly requestId: string;
  readonly reference: Reference | undefined;
  readonly publicUrl: string | undefined;
}

const malformedCodes = {
  DIGEST_MALFORMED: 'DIGEST_INVALID',
  NAME_MALFORMED: 'NAME_INVALID',
  MANIFEST_MALFORMED: 'MANIFEST_INVALID',
} as const satisfies Record<MalformedCode, OciErrorCode>;

const unavailableStatus = {
  UNAVAILABLE: 503,
  BAD_UPSTREAM: 502,
} as const satisfies Record<UnavailableCode, number>;

const maxRetryAfterSeconds = 3600;

/** The mapping of everything thrown to the wire; there is no other. */
export function toOciFailure(error: unknown, context: FailureContext): OciFailure {
  if (error instanceof DeniedError) {
    return {
      status: 403,
      code: 'DENIED',
      message: denialMessage(error, context.reference, context.publicUrl),
      detail: reasons[error.reason].remedy,
      reason: shortReason(error.reason, error.verdict.id),
    };
  }
  if (error instanceof UnavailableError) return unavailable(error);
  if (error instanceof OverLimitError) return overLimit(error);
  if (error instanceof NotFoundError) {
    return { status: 404, code: error.code, message: error.message };
  }
  if (error instanceof RequestError) {
    const { status, code, message, headers } = error;
    return { status, code, message, headers };
  }
  if (error instanceof MalformedError) {
    return { status: 400, code: malformedCodes[error.code], message: error.message };
  }
  // Never the text of an unexpected error: it may hold anything.
  if (isUnforeseen(error)) {
    const message = `it could not be found out; the log has it as request ${context.requestId}`;
    return { status: 503, code: 'UNAVAILABLE', message, retryAfterSeconds: unforeseenRetrySeconds };
  }
  const message = `internal error; the log has it as request ${context.requestId}`;
  return { status: 500, code: 'UNKNOWN', message };
}

const unforeseenRetrySeconds = 5;

/**
 * What no layer should have let through, and is no mistake of ours all the same: an error of a
 * layer ("we could not"), or of a library that something failed outside of this process.
 */
function isUnforeseen(error: unknown): boolean {
  return isOutage(error) || error instanceof TaggedError;
}

/** 429 for what the client can do something about; 503 where others keep us busy. */
function overLimit({ limit, message, retryAfterSeconds }: OverLimitError): OciFailure {
  const retryAfter = { retryAfterSeconds: Math.min(retryAfterSeconds, maxRetryAfterSeconds) };
  if (limit === 'cold-requests')
    return { status: 503, code: 'UNAVAILABLE', message, ...retryAfter };
  return { status: 429, code: 'TOOMANYREQUESTS', message, ...retryAfter };
}

function unavailable({ code, message, retryAfterSeconds, verdict }: UnavailableError): OciFailure {
  const seconds = Math.ceil(retryAfterSeconds);
  return {
    status: unavailableStatus[code],
    code: 'UNAVAILABLE',
    message: verdict === undefined ? message : `${message} id=${verdict.id}`,
    retryAfterSeconds: Math.min(Math.max(1, seconds), maxRetryAfterSeconds),
    ...(verdict?.reason !== undefined && {
      detail: reasons[verdict.reason].remedy,
      reason: shortReason(verdict.reason, verdict.id),
    }),
  };
}
