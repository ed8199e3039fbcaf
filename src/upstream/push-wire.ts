import { withDeadline } from '../kernel/abort.ts';
import type { Clock } from '../kernel/clock.ts';
import { isObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { Authorizer } from './auth/authorizer.ts';
import { readBody } from './body.ts';
import { headerOf } from './header.ts';
import type { Transport, WireAnswer, WireRequest } from './http.ts';
import { discard, follow } from './redirect.ts';
import { makeRetryBudget, type Patience, type Wait, withRetries } from './retry.ts';
import { parseRetryAfter } from './retry-after.ts';
import { codeFor, StatusError } from './status.ts';

/** One request to a registry that content is pushed to. */
export interface PushRequest extends Pick<
  WireRequest,
  'method' | 'url' | 'accept' | 'contentRange'
> {
  /** Whose right to push is needed. */
  readonly path: RepositoryPath;
  /** Statuses that are an answer; any other is an error. */
  readonly expected: readonly number[];
  /** Made anew each time that it is sent. */
  readonly body?: (() => NonNullable<WireRequest['body']>) | undefined;
  /** Beside the usual time; milliseconds. */
  readonly extraMs?: number;
}

/** Requests with log-in, deadline and retries. The caller reads or discards the answer's body. */
export interface PushWire {
  send(request: PushRequest, signal: AbortSignal): Promise<WireAnswer>;
  /** Without retries: for what is not to be sent again as it is. */
  sendOnce(request: PushRequest, signal: AbortSignal): Promise<WireAnswer>;
}

export interface PushWireDependencies {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly totalMs: number;
}

/** Nobody waits for an answer: a registry that asks for a minute's pause gets it. */
export const pushPatience: Patience = { maxRetries: 5, maxPauseMs: 60_000, timeouts: 'retried' };
const retriesMs = 10 * 60_000;
const maxErrorBytes = 64 * 1024;

export function makePushWire(origin: string, dependencies: PushWireDependencies): PushWire {
  const { clock, wait } = dependencies;
  const budget = makeRetryBudget();
  const sendOnce: PushWire['sendOnce'] = async (request, signal) => {
    const deadline = withDeadline(dependencies.totalMs + (request.extraMs ?? 0), signal);
    const answer = await sendLoggedIn(request, origin, dependencies, deadline);
    if (request.expected.includes(answer.status)) return answer;
    throw await failureOf(answer, request, clock);
  };
  return {
    sendOnce,
    send(request, signal) {
      const terms = { clock, wait, budget, totalMs: retriesMs, patience: pushPatience };
      return withRetries(() => sendOnce(request, signal), terms, signal);
    },
  };
}

/** With at most one renewed log-in. What is sent goes to the registry's own origin alone. */
async function sendLoggedIn(
  { method, url, accept, contentRange, path, body }: PushRequest,
  origin: string,
  { transport, authorizer }: PushWireDependencies,
  signal: AbortSignal,
): Promise<WireAnswer> {
  const sendWith = async (authorization: WireRequest['authorization']): Promise<WireAnswer> => {
    const request = { method, url, accept, contentRange, authorization, body: body?.() };
    const isReading = method === 'GET' || method === 'HEAD';
    return isReading ? follow(transport, request, origin, signal) : transport.send(request, signal);
  };
  const authorization = await authorizer.prepare(path, signal);
  const answer = await sendWith(authorization);
  const isRefused = answer.status === 401 || answer.status === 403;
  if (!isRefused || answer.url.origin !== origin) return answer;
  const renewed = await authorizer.renew(answer, authorization, path, signal);
  if (renewed === undefined) return answer;
  discard(answer);
  return sendWith(renewed);
}

async function failureOf(
  answer: WireAnswer,
  { method }: PushRequest,
  clock: Clock,
): Promise<StatusError> {
  const { status } = answer;
  const retryAfterSeconds = parseRetryAfter(headerOf(answer, 'retry-after'), clock.now());
  return new StatusError(codeFor(status), status, {
    detail: method === 'HEAD' ? discarded(answer) : await readDetail(answer),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

function discarded(answer: WireAnswer): string {
  discard(answer);
  return '';
}

/** Code and message of the first error (distribution-spec, Error Codes). */
async function readDetail(answer: WireAnswer): Promise<string> {
  try {
    const document = readJson(await readBody(answer, maxErrorBytes));
    const errors = isObject(document) ? document['errors'] : undefined;
    const [first] = Array.isArray(errors) ? errors : [];
    const { code, message } = isObject(first) ? first : {};
    return [code, message]
      .filter((text) => typeof text === 'string' && text !== '')
      .map((text) => quoted(text as string, 200).slice(1, -1))
      .join(': ');
  } catch {
    // Whatever the body is, the status says enough.
    return '';
  }
}
