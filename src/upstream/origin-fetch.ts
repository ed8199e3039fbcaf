import { quotedUrl } from '../kernel/quoted.ts';
import { readBody } from './body.ts';
import { type ListenAddress, makeEgressGuard, type Resolve } from './egress.ts';
import { toUpstreamError } from './failure.ts';
import { openTransport } from './http.ts';
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

/** Fetches public files from one origin that the operator has named, such as a TUF repository. */
export interface OriginFetch {
  /**
   * The body of an answer of status 200, of at most `maxBytes`; undefined for 404 and 403, which
   * file stores answer in its place. Throws `UpstreamError` for anything else, a redirect too.
   */
  fetch(url: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array | undefined>;
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
  return {
    async fetch(text, maxBytes, signal) {
      try {
        const url = URL.parse(text);
        if (url?.origin !== origin || url.username !== '') {
          throw new UpstreamError('UPSTREAM_LEADS_ASTRAY', `is no URL of ${origin}`);
        }
        const answer = await transport.send({ method: 'GET', url }, signal);
        if (answer.status === 200) return await readBody(answer, maxBytes);
        discard(answer);
        if (answer.status === 404 || answer.status === 403) return undefined;
        throw new UpstreamError('UPSTREAM_FAILED', `answers with status ${answer.status}`);
      } catch (error) {
        throw toUpstreamError(error, quotedUrl(text));
      }
    },
    close: () => transport.close(),
  };
}
