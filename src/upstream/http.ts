import { Readable } from 'node:stream';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import type { EgressGuard, NamedBy } from './egress.ts';
import { makeOriginQueue } from './origin-queue.ts';
import { answerLimits, type RemoteLimits, type RemoteOptions } from './remote-options.ts';

/** Credentials as a header, and the one origin that may see them. */
export interface Authorization {
  readonly origin: string;
  readonly value: string;
  /** Headers that go with it and are bound to the same origin, such as those that it signs. */
  readonly also?: Readonly<Record<string, string>> | undefined;
}

/** The bytes from `first` to the end (RFC 9110, section 14.2). */
export interface RangeAsked {
  readonly first: number;
  /** A strong ETag: all of it if the content has another by now. */
  readonly ifRange?: string | undefined;
}

export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly accept?: string | undefined;
  readonly range?: RangeAsked | undefined;
  readonly authorization?: Authorization | undefined;
  /** Text is sent as a form. */
  readonly body?: string | TypedBody | StreamedBody | undefined;
  /** What of an upload the body is (distribution-spec, Pushing a blob in chunks). */
  readonly contentRange?: string | undefined;
}

export interface TypedBody {
  /** Its Content-Type. */
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Bytes that are read as they are sent. */
export interface StreamedBody {
  readonly type: string;
  /** Bytes in all; the connection is given up where others come. */
  readonly length: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

const formType = 'application/x-www-form-urlencoded';

export interface WireAnswer {
  readonly status: number;
  /** The URL that answered. */
  readonly url: URL;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
}

/**
 * One upstream's connections. Sends what it is given and nothing else: it has no default
 * credentials, follows nothing, decodes nothing. To the upstream's own origin and to all others
 * it has separate pools, so that the client certificate is shown to the one alone.
 */
export interface Transport {
  send(request: WireRequest, signal: AbortSignal): Promise<WireAnswer>;
  close(): Promise<void>;
}

const userAgent = 'assay';

export function openTransport(
  ownOrigin: string,
  options: Pick<RemoteOptions, 'ca' | 'clientCertificate' | 'httpProxy'>,
  guard: EgressGuard,
  limits: RemoteLimits,
): Transport {
  const { ca, clientCertificate, httpProxy } = options;
  const dispatchers = {
    configuration: openDispatcher('configuration', guard, limits, httpProxy, {
      ...(ca !== undefined && { ca }),
      ...(clientCertificate !== undefined && {
        cert: clientCertificate.certificate,
        key: clientCertificate.key,
      }),
    }),
    others: openDispatcher('others', guard, limits, httpProxy, {
      ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
    }),
  } as const;
  const queue = makeOriginQueue(limits.maxWaiting);
  return {
    async send({ method, url, accept, range, authorization, body, contentRange }, signal) {
      assertBound(authorization, url);
      const namedBy = url.origin === ownOrigin ? 'configuration' : 'others';
      if (httpProxy !== undefined) guard.admitName(bareHost(url.hostname), portOf(url), namedBy);
      const leave = queue.enter(url.origin);
      const answering = dispatchers[namedBy].request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        signal,
        // Without it a HEAD costs its connection; what stands after its answer ends that anyway.
        reset: false,
        headers: {
          'user-agent': userAgent,
          'accept-encoding': 'identity',
          ...(accept !== undefined && { accept }),
          ...(range !== undefined && { range: `bytes=${range.first}-` }),
          ...(range?.ifRange !== undefined && { 'if-range': range.ifRange }),
          ...(authorization !== undefined && {
            ...authorization.also,
            authorization: authorization.value,
          }),
          ...(contentRange !== undefined && { 'content-range': contentRange }),
          ...bodyHeaders(body),
        },
        ...(body !== undefined && { body: bytesOf(body) }),
      });
      const answer = await answering.finally(leave);
      return { status: answer.statusCode, url, headers: answer.headers, body: answer.body };
    },
    async close() {
      await Promise.all(Object.values(dispatchers).map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function bodyHeaders(body: WireRequest['body']): Readonly<Record<string, string>> {
  if (body === undefined) return {};
  if (typeof body === 'string') return { 'content-type': formType };
  const type = { 'content-type': body.type };
  return 'length' in body ? { ...type, 'content-length': String(body.length) } : type;
}

function bytesOf(body: NonNullable<WireRequest['body']>): string | Uint8Array | Readable {
  if (typeof body === 'string') return body;
  return 'length' in body ? Readable.from(body.pieces, { objectMode: false }) : body.bytes;
}

/** The last thing before the wire: whatever is wrong above, credentials do not leave their origin. */
function assertBound(authorization: Authorization | undefined, url: URL): void {
  if (authorization !== undefined && authorization.origin !== url.origin) {
    throw new Error(`credentials for ${authorization.origin} were about to go to ${url.origin}`);
  }
}

type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;

function openDispatcher(
  namedBy: NamedBy,
  guard: EgressGuard,
  limits: RemoteLimits,
  httpProxy: string | undefined,
  tls: TlsOptions,
): Dispatcher {
  const common = {
    allowH2: false,
    connections: limits.maxConnections,
    pipelining: 1,
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.idleMs,
    maxHeaderSize: answerLimits.headerBytes,
  } as const;
  if (httpProxy === undefined) {
    return new Agent({ ...common, connect: guardedConnect(namedBy, guard, limits.connectMs, tls) });
  }
  return new ProxyAgent({
    ...common,
    uri: httpProxy,
    connectTimeout: limits.connectMs,
    requestTls: { ...tls },
  });
}

/** Connects to an address that the guard has seen, never to a second answer of the resolver. */
function guardedConnect(
  namedBy: NamedBy,
  guard: EgressGuard,
  timeoutMs: number,
  tls: TlsOptions,
): buildConnector.connector {
  let admitted: readonly string[] = [];
  const connect = buildConnector({
    ...tls,
    allowH2: false,
    timeout: timeoutMs,
    lookup(_hostname, options, done) {
      const all = admitted.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const [first] = all;
      if (first === undefined) done(new Error('no admitted address'), '');
      else if (options.all === true) done(null, all);
      else done(null, first.address, first.family);
    },
  });
  const connectAdmitted = async (
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): Promise<void> => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    let addresses: readonly string[];
    try {
      addresses = await guard.admit(options.hostname, port, namedBy);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    // The look-up above is called synchronously from here, so no other host's can come between.
    admitted = addresses;
    connect(options, callback);
    admitted = [];
  };
  return (options, callback) => void connectAdmitted(options, callback);
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
