import type { ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { freeMisses, type Misses } from '../gate/misses.ts';
import { randomHex } from '../kernel/clock.ts';
import { answer } from './answer.ts';
import { type ClientLimits, type ClientOf, defaultClientLimits, makeClients } from './clients.ts';
import { type Connections, makeConnections, refuseConnection } from './connection.ts';
import type { RouteServices } from './exchange.ts';
import { type ServerLimits, serverLimits } from './limits.ts';
import { checkRequest } from './request-check.ts';
import { RequestError } from './request-error.ts';
import { sendFailure } from './send-failure.ts';
import { ServedExchange } from './served-exchange.ts';

type OwnServices = 'limits' | 'publicUrl' | 'clients' | 'misses';

export interface ServerDependencies extends Omit<RouteServices, OwnServices> {
  /** Undefined: nobody pays for asking in vain. */
  readonly misses?: Misses;
  /** Undefined: the address of the connection. */
  readonly clientOf?: ClientOf;
}

export interface ServerOptions {
  readonly publicUrl?: string;
  readonly tls?: ServerTls;
  readonly limits?: Partial<ServerLimits>;
  readonly clientLimits?: Partial<ClientLimits>;
}

/** PEM texts. With `clientCa`, a client needs a certificate that it vouches for. */
export interface ServerTls {
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
}

/**
 * The OCI distribution API (distribution-spec, Pull and Content Discovery), read-only, over
 * HTTP/1.1. fastify owns the listener and its life; paths are parsed by our own grammar out of
 * the raw request target, since a router that decodes lets two names lead to one place.
 */
export function makeServer(
  dependencies: ServerDependencies,
  options: ServerOptions = {},
): FastifyInstance {
  const limits = { ...serverLimits, ...options.limits };
  const publicUrl = options.publicUrl?.replace(/\/+$/, '');
  const { misses = freeMisses, clientOf = connectedAddress } = dependencies;
  const clientLimits = { ...defaultClientLimits, ...options.clientLimits };
  const clients = makeClients(clientLimits, { ...dependencies, clientOf });
  const services: RouteServices = { ...dependencies, clients, misses, limits, publicUrl };
  const connections = makeConnections(limits.maxPipelinedRequests);
  const server = fastify({
    ...listenerOptions(limits, options.tls),
    connectionTimeout: limits.idleTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxRequestsPerSocket: limits.maxRequestsPerConnection,
    genReqId: makeRequestIds(),
    rewriteUrl: () => '/',
    exposeHeadRoutes: false,
    return503OnClosing: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, connections),
  });
  server.server.maxConnections = limits.maxConnections;
  // Without this Node would invite the body of `Expect: 100-continue` before it is refused.
  server.server.on('checkContinue', (request, response) => {
    server.server.emit('request', request, response);
  });
  // A hook comes before fastify would parse a body, and for methods that it does not know too.
  server.addHook('onRequest', (request, reply) => {
    reply.hijack();
    accept(services, connections, request, reply.raw);
  });
  return server;
}

function accept(
  services: RouteServices,
  connections: Connections,
  { id, originalUrl, raw: request }: FastifyRequest,
  response: ServerResponse,
): void {
  const { socket } = request;
  // Node goes on to parse what was sent ahead. It gets no answer, and must have no effect.
  if (connections.isLast(socket)) return;
  if (!response.shouldKeepAlive) connections.markLast(socket);
  const exchange = new ServedExchange({ id, services, request, response, rawUrl: originalUrl });
  response.once('close', () => {
    connections.end(socket);
    exchange.abortIfGone();
  });
  const refusal = connections.begin(socket) ? checkRequest(request) : tooMany();
  if (refusal === undefined) {
    void answer(exchange);
    return;
  }
  connections.markLast(socket);
  sendFailure(exchange, refusal);
}

function tooMany(): RequestError {
  const message = 'too many requests at once on one connection';
  const headers = { 'Retry-After': '1', Connection: 'close' };
  return new RequestError(429, 'TOOMANYREQUESTS', message, headers);
}

const connectedAddress: ClientOf = ({ address = 'unknown' }) => address;

/** Ids that are unique over restarts and replicas: what a person finds in the log by. */
function makeRequestIds(): () => string {
  const start = randomHex(6);
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}

/** How often Node looks for requests that take too long. */
const timeoutCheckIntervalMs = 1_000;

function listenerOptions(limits: ServerLimits, tls: ServerTls | undefined) {
  const http = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckIntervalMs,
    insecureHTTPParser: false,
    // We check it ourselves, to answer in the protocol's form.
    requireHostHeader: false,
  };
  if (tls === undefined) return { http };
  const https = {
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
  return { https };
}
