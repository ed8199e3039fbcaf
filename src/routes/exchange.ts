import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { UnavailableError } from '../gate/gate-error.ts';
import type { Misses } from '../gate/misses.ts';
import type { Gate } from '../gate/trusted-content.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Reference } from '../oci/reference.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { Clients } from './clients.ts';
import type { ServerLimits } from './limits.ts';
import type { NamedRepository } from './names.ts';
import type { RouteName } from './path.ts';
import type { Targets } from './targets.ts';

/** What answering needs. */
export interface RouteServices {
  readonly gate: Gate;
  readonly clients: Clients;
  /** Whether a proxy of ours connects from there. */
  readonly isProxy: (address: string | undefined) => boolean;
  readonly misses: Misses;
  readonly targets: Targets;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  /** Where people reach the admin API, without a slash at the end; for explain links. */
  readonly publicUrl: string | undefined;
}

/** One request and its answer. */
export interface Exchange {
  readonly id: string;
  readonly services: RouteServices;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request target as it came. */
  readonly rawUrl: string;
  readonly startedMs: number;
  /** Aborts when the client is gone before its answer is complete. */
  readonly signal: AbortSignal;
  /** What is known of the request so far, for logs and metrics. */
  route: RouteName;
  named: NamedRepository | undefined;
  reference: Reference | undefined;
}

/**
 * The result of `work` if it comes within the answer's deadline; `UnavailableError` if not. The
 * work is not aborted then: what it finds out serves the next try.
 */
export async function beforeDeadline<T>(exchange: Exchange, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = 'it could not be found out in time; the work goes on';
    reject(new UnavailableError('UNAVAILABLE', message));
  }, exchange.services.limits.answerDeadlineMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const apiVersion = 'Docker-Distribution-API-Version';

/** Writes status and headers, and counts the answer. */
export function sendHead(
  exchange: Exchange,
  status: number,
  headers: OutgoingHttpHeaders,
  reasonPhrase?: string,
): void {
  const { services, response, request, route, startedMs } = exchange;
  const { metrics, clock } = services;
  const method = request.method ?? 'none';
  metrics.count('assay_requests_total', { route, method, status: String(status) });
  metrics.time('assay_request_seconds', { route }, (clock.monotonicMs() - startedMs) / 1000);
  headers[apiVersion] = 'registry/2.0';
  if (reasonPhrase === undefined) response.writeHead(status, headers);
  else response.writeHead(status, reasonPhrase, headers);
}

/** Sends a whole answer; to HEAD its headers alone, with the length that GET would have. */
export function sendWhole(
  exchange: Exchange,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Uint8Array | string,
): void {
  headers['Content-Length'] = Buffer.byteLength(body);
  sendHead(exchange, status, headers);
  if (isHead(exchange)) exchange.response.end();
  else if (typeof body === 'string') exchange.response.end(body);
  else exchange.response.end(asLatin1(body), 'latin1');
}

const latin1Texts = new WeakMap<Uint8Array, string>();
const maxLatin1Bytes = 64 * 1024;

/**
 * The same bytes as text of one character each: Node sends that together with the headers in one
 * system call, where bytes cost a second buffer and the dearest part of a small answer.
 */
function asLatin1(bytes: Uint8Array): string | Uint8Array {
  if (bytes.byteLength > maxLatin1Bytes) return bytes;
  const known = latin1Texts.get(bytes);
  if (known !== undefined) return known;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  latin1Texts.set(bytes, text);
  return text;
}

export function isHead(exchange: Exchange): boolean {
  return exchange.request.method === 'HEAD';
}
