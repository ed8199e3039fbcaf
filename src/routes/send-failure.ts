import { STATUS_CODES, type OutgoingHttpHeaders } from 'node:http';
import { DeniedError, OverLimitError, UnavailableError } from '../gate/gate-error.ts';
import { scopeOf } from '../oci/repository.ts';
import { type Exchange, isHead, sendHead } from './exchange.ts';
import { toPrintable } from './header-text.ts';
import { type OciFailure, toOciFailure } from './oci-error.ts';

/** Answers with what was thrown; destroys the connection if an answer has begun already. */
export function sendFailure(exchange: Exchange, error: unknown): void {
  const { id, services, response, reference } = exchange;
  if (response.destroyed || exchange.signal.aborted) return;
  const context = { requestId: id, reference, publicUrl: services.publicUrl };
  const failure = toOciFailure(error, context);
  record(exchange, error, failure);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = failureBody(failure);
  const phrase =
    failure.reason === undefined ? undefined : `${STATUS_CODES[failure.status]}: ${failure.reason}`;
  sendHead(exchange, failure.status, failureHeaders(failure, id, body), phrase);
  if (isHead(exchange)) response.end();
  else response.end(body);
}

/** The JSON of distribution-spec, Error Codes. */
export function failureBody({ code, message, detail }: OciFailure): string {
  const item = {
    code,
    message: toPrintable(message),
    ...(detail !== undefined && { detail: toPrintable(detail) }),
  };
  return JSON.stringify({ errors: [item] });
}

function failureHeaders(failure: OciFailure, id: string, body: string): OutgoingHttpHeaders {
  const { headers, reason, retryAfterSeconds } = failure;
  return {
    ...headers,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    // A cache in front of us must not go on saying no, nor that something is not there.
    'Cache-Control': 'no-store',
    'X-Request-Id': id,
    ...(reason !== undefined && { 'X-Assay-Reason': reason }),
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
  };
}

/** One line for a denial or an outage, one with the error for a mistake of ours. */
function record(exchange: Exchange, error: unknown, failure: OciFailure): void {
  const { log, metrics } = exchange.services;
  if (error instanceof DeniedError) {
    const { verdict, reason } = error;
    metrics.count('assay_denials_total', { reason });
    const { id, rule, subject, because } = verdict;
    log.info(
      { ...describe(exchange), reason, rule, digest: subject, verdict: id, because },
      'denied',
    );
  } else if (error instanceof UnavailableError) {
    const { code, message, verdict } = error;
    log.warn(
      { ...describe(exchange), code, because: message, verdict: verdict?.id },
      'unavailable',
    );
  } else if (error instanceof OverLimitError) {
    recordRefusal(exchange, error);
  } else if (failure.status >= 500) {
    const by = failure.status === 500 ? 'a mistake of ours' : 'something that nobody foresaw';
    log.error({ ...describe(exchange), error }, `a request failed by ${by}`);
  }
}

/** Whoever is over a limit asks often: one line a minute of each client. */
function recordRefusal(exchange: Exchange, { limit, message }: OverLimitError): void {
  const { log, clients } = exchange.services;
  const client = clients.nameOf(exchange.request);
  if (!clients.noteRefusal(client, limit)) return;
  const fields = { ...describe(exchange), client, limit, because: message };
  log.warn(fields, 'a request is over a limit, and more of this client may be');
}

/** One line for content that stopped in the middle, when no answer can be given any more. */
export function recordBrokenStream(exchange: Exchange, error: unknown): void {
  const fields = { ...describe(exchange), error };
  exchange.services.log.warn(fields, 'a stream failed, and its connection was cut');
}

/** One line for an answer that was under way when what it sends was denied. */
export function recordCut(exchange: Exchange, because: string): void {
  const fields = { ...describe(exchange), because };
  exchange.services.log.warn(fields, 'an answer was cut: what it sends is denied');
}

function describe({ id, request, named, reference, services, startedMs }: Exchange): object {
  return {
    requestId: id,
    client: request.socket.remoteAddress,
    method: request.method,
    upstream: named?.repository.upstream,
    repository: named && scopeOf(named.repository),
    reference: reference && ('tag' in reference ? reference.tag : reference.digest),
    milliseconds: Math.round(services.clock.monotonicMs() - startedMs),
  };
}
