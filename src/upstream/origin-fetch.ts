import { quotedUrl } from '../kernel/quoted.ts';
import { readBody } from './body.ts';
import { type ListenAddress, makeEgressGuard, type Resolve } from './egress.ts';
import { toUpstreamError } from './failure.ts';
import { openTransport, type TypedBody, type WireAnswer, type WireRequest } from './http.ts';
import { discard } from './redirect.ts';
import { defaultRemoteLimits, type RemoteLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

export interface OriginFetchOptions {
  /** The one origin that is asked: the operator's word, and so its address may be private. */
  readonly origin: string;
  /** PEM of the CAs that vouch for it, in place of Node's. */
  readonly ca?: string | undefined;
  /** URL of an HTTP proxy that all connections go through. */
  readonly httpProxy?: string | undefined;
  /** Where this process listens: never dialled. */
  readonly ownListeners: () => readonly ListenAddress[];
  readonly resolve?: Resolve | undefined;
}

/** What is asked of a service that wants to know who asks. */
export interface OriginRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** The header of that name; shown to the one origin alone, as are these other headers. */
  readonly authorization: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: TypedBody | undefined;
}

/** An answer of whatever status; a redirect is not followed. */
export interface OriginAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** Asks one origin that the operator has named, such as a TUF repository. */
export interface OriginFetch {
  /**
   * The body of an answer of status 200, of at most `maxBytes`; undefined for 404 and 403, which
   * file stores answer in its place. Throws `UpstreamError` for anything else, a redirect too.
   */
  fetch(url: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** The answer with a body of at most `maxBytes`. Throws `UpstreamError` where there is none. */
  ask(request: OriginRequest, maxBytes: number, signal: AbortSignal): Promise<OriginAnswer>;
  close(): Promise<void>;
}

const limits: RemoteLimits = {
  ...defaultRemoteLimits,
  idleMs: 10_000,
  maxConnections: 2,
  maxWaiting: 8,
};

export function openOriginFetch(options: OriginFetchOptions): OriginFetch {
  const { origin, ca, httpProxy } = options;
  const guard = makeEgressGuard({ ...options, allowPrivate: [], timeoutMs: limits.connectMs });
  const transport = openTransport(origin, { ca, httpProxy }, guard, limits);
  const send = async (
    text: string,
    request: Omit<WireRequest, 'url'>,
    signal: AbortSignal,
  ): Promise<WireAnswer> => {
    const url = URL.parse(text);
    if (url?.origin !== origin || url.username !== '') {
      throw new UpstreamError('UPSTREAM_LEADS_ASTRAY', `is no URL of ${origin}`);
    }
    return await transport.send({ ...request, url }, signal);
  };
  return {
    async fetch(text, maxBytes, signal) {
      try {
        const answer = await send(text, { method: 'GET' }, signal);
        if (answer.status === 200) return await readBody(answer, maxBytes);
        discard(answer);
        if (answer.status === 404 || answer.status === 403) return undefined;
        throw new UpstreamError('UPSTREAM_FAILED', `answers with status ${answer.status}`);
      } catch (error) {
        throw toUpstreamError(error, quotedUrl(text));
      }
    },
    async ask({ method, url, authorization, headers, body }, maxBytes, signal) {
      try {
        const shown = { origin, value: authorization, also: headers };
        const answer = await send(url, { method, body, authorization: shown }, signal);
        return { status: answer.status, bytes: await readBody(answer, maxBytes) };
      } catch (error) {
        throw toUpstreamError(error, quotedUrl(url));
      }
    },
    close: () => transport.close(),
  };
}
