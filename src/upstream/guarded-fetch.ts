import { quotedUrl } from '../kernel/quoted.ts';
import { readBody } from './body.ts';
import { type ListenAddress, makeEgressGuard, type Resolve } from './egress.ts';
import { toUpstreamError } from './failure.ts';
import { headerOf } from './header.ts';
import { openTransport, type Transport, type TypedBody, type WireAnswer } from './http.ts';
import { discard, isRedirect, nextPlainHop } from './redirect.ts';
import { defaultRemoteLimits, type RemoteLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

export interface GuardedFetchOptions {
  /** CIDR blocks that addresses may lie in although they are private. */
  readonly allowPrivate: readonly string[];
  /** Where this process listens: never dialled. */
  readonly ownListeners: () => readonly ListenAddress[];
  readonly resolve?: Resolve | undefined;
}

export interface GuardedRequest {
  readonly url: string;
  /** Sent by POST; GET without. */
  readonly body?: TypedBody;
  readonly maxBytes: number;
}

/** Fetches from hosts that certificates name: public, signed bytes over plain http. */
export interface GuardedFetch {
  /**
   * The body of an answer of status 200. Throws `UpstreamError` for anything else: another scheme,
   * user information, an address that is neither public nor allowed, our own listeners, more than
   * `maxBytes`. Redirects are followed from http to http only, and dialled through the same checks.
   * Nothing is ever sent along: no credentials, no cookies, no client certificate.
   */
  fetch(request: GuardedRequest, signal: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

const limits: RemoteLimits = {
  ...defaultRemoteLimits,
  connectMs: 5_000,
  headersMs: 10_000,
  idleMs: 5_000,
  maxConnections: 8,
  maxWaiting: 64,
};
const maxRedirects = 3;
/** No origin is configured, so that every host counts as named by others. */
const noOrigin = 'null';

export function openGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const guard = makeEgressGuard({ ...options, timeoutMs: limits.connectMs });
  const transport = openTransport(noOrigin, {}, guard, limits);
  return {
    async fetch(request, signal) {
      const { url, maxBytes } = request;
      try {
        const answer = await follow(transport, request, signal);
        if (answer.status !== 200) {
          discard(answer);
          throw new UpstreamError('UPSTREAM_FAILED', `answers with status ${answer.status}`);
        }
        return await readBody(answer, maxBytes);
      } catch (error) {
        throw toUpstreamError(error, quotedUrl(url));
      }
    },
    close: () => transport.close(),
  };
}

async function follow(
  transport: Transport,
  { url: text, body }: GuardedRequest,
  signal: AbortSignal,
): Promise<WireAnswer> {
  let url = readPlainUrl(text);
  const method = body === undefined ? 'GET' : 'POST';
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const answer = await transport.send({ method, url, body }, signal);
    if (!isRedirect(answer.status)) return answer;
    discard(answer);
    url = nextPlainHop(url, headerOf(answer, 'location'));
  }
  throw new UpstreamError('UPSTREAM_LEADS_ASTRAY', `redirects more than ${maxRedirects} times`);
}

function readPlainUrl(text: string): URL {
  const url = /^[\x21-\x7e]{1,4096}$/.test(text) ? URL.parse(text) : null;
  if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '') {
    throw new UpstreamError('UPSTREAM_LEADS_ASTRAY', 'is no plain http URL');
  }
  url.hash = '';
  return url;
}
