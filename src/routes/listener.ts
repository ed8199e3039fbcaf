import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type Connections, refuseConnection } from './connection.ts';
import type { ServerLimits } from './limits.ts';

/** PEM texts. With `clientCa`, a client needs a certificate that it vouches for. */
export interface ServerTls {
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
}

interface ListenerParts {
  readonly limits: ServerLimits;
  readonly tls: ServerTls | undefined;
  readonly connections: Connections;
}

/** How often Node looks for requests that take too long. */
const timeoutCheckIntervalMs = 1_000;

/** Node's own server with our bounds; every request goes to `listener`, whatever it is. */
export function makeListener(
  listener: RequestListener,
  { limits, tls, connections }: ListenerParts,
): Server {
  const http = httpOptions(limits);
  const server = tls === undefined ? createServer(http) : createTlsServer(tlsOptions(http, tls));
  server.on('request', listener);
  // Without this Node would invite the body of `Expect: 100-continue` before it is refused.
  server.on('checkContinue', listener);
  // Of a server that listens at an address, every connection is a socket.
  server.on('clientError', (error, socket) =>
    refuseConnection(error, socket as Socket, connections),
  );
  server.setTimeout(limits.idleTimeoutMs);
  server.maxConnections = limits.maxConnections;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  return server;
}

function httpOptions(limits: ServerLimits): ServerOptions {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: timeoutCheckIntervalMs,
    insecureHTTPParser: false,
    // We check it ourselves, to answer in the protocol's form.
    requireHostHeader: false,
    // No request has a body that we read, and a stream of nothing is not free.
    optimizeEmptyRequests: true,
  };
}

function tlsOptions(http: ServerOptions, tls: ServerTls) {
  return {
    ...http,
    cert: tls.certificate,
    key: tls.key,
    minVersion: 'TLSv1.2' as const,
    ALPNProtocols: ['http/1.1'],
    ...(tls.clientCa !== undefined && {
      ca: tls.clientCa,
      requestCert: true,
      rejectUnauthorized: true,
    }),
  };
}
