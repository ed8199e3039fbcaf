import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance } from 'fastify';
import { freeMisses, type Misses } from '../gate/misses.ts';
import { randomHex } from '../kernel/clock.ts';
import { answer } from './answer.ts';
import { type ClientLimits, type ClientOf, defaultClientLimits, makeClients } from './clients.ts';
import { type Connections, makeConnections } from './connection.ts';
import type { RouteServices } from './exchange.ts';
import { type ServerLimits, serverLimits } from './limits.ts';
import { makeListener, type ServerTls } from './listener.ts';
import type { Names } from './names.ts';
import { checkRequest } from './request-check.ts';
import { RequestError } from './request-error.ts';
import { sendFailure } from './send-failure.ts';
import { ServedExchange } from './served-exchange.ts';
import { makeTargets } from './targets.ts';

type OwnServices = 'limits' | 'publicUrl' | 'clients' | 'isProxy' | 'misses' | 'targets';

export interface ServerDependencies extends Omit<RouteServices, OwnServices> {
  readonly names: Names;
  /** Undefined: nobody pays for asking in vain. */
  readonly misses?: Misses;
  /** Undefined: the address of the connection. */
  readonly clientOf?: ClientOf;
  /** Undefined: no proxy is one of ours. */
  readonly isProxy?: RouteServices['isProxy'];
}

export interface ServerOptions {
  readonly publicUrl?: string;
  readonly tls?: ServerTls;
  readonly limits?: Partial<ServerLimits>;
  readonly clientLimits?: Partial<ClientLimits>;
}

/**
 * The OCI distribution API (distribution-spec, Pull and Content Discovery), read-only, over
 * HTTP/1.1. fastify owns the listener's life; requests come straight from Node's server, and paths
 * are parsed by our own grammar out of the raw request target, since a router that decodes lets two
 * names lead to one place.
 */
export function makeServer(
  dependencies: ServerDependencies,
  options: ServerOptions = {},
): FastifyInstance {
  const limits = { ...serverLimits, ...options.limits };
  const publicUrl = options.publicUrl?.replace(/\/+$/, '');
  const { misses = freeMisses, clientOf = connectedAddress, isProxy = nobody } = dependencies;
  const clientLimits = { ...defaultClientLimits, ...options.clientLimits };
  const clients = makeClients(clientLimits, { ...dependencies, clientOf });
  const targets = makeTargets(dependencies.names);
  const { gate, log, metrics, clock } = dependencies;
  const observed = { log, metrics, clock };
  const services = { gate, ...observed, clients, isProxy, misses, targets, limits, publicUrl };
  const connections = makeConnections(limits.maxPipelinedRequests);
  const nextId = makeRequestIds();
  const take = (request: IncomingMessage, rawUrl: string, response: ServerResponse): void => {
    // Node goes on to parse what was sent ahead. It gets no answer, and must have no effect.
    if (connections.isLast(request.socket)) return;
    const id = nextId();
    accept(new ServedExchange({ id, services, request, response, rawUrl }), connections);
  };
  const server = fastify({
    serverFactory: () =>
      makeListener((request, response) => take(request, request.url ?? '', response), {
        limits,
        tls: options.tls,
        connections,
      }),
    rewriteUrl: () => '/',
    exposeHeadRoutes: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
  });
  // What does not come over a socket (`inject`) comes this way, before a body would be parsed.
  server.addHook('onRequest', (request, reply) => {
    reply.hijack();
    take(request.raw, request.originalUrl, reply.raw);
  });
  return server;
}

function accept(exchange: ServedExchange, connections: Connections): void {
  const { request, response } = exchange;
  const { socket } = request;
  // Node ends the connection after who waits to be told to go on, which nobody is here.
  const isLast = !response.shouldKeepAlive || request.headers.expect !== undefined;
  if (isLast) connections.markLast(socket);
  response.on('close', () => {
    if (exchange.end()) connections.end(socket);
  });
  const refusal = connections.begin(socket) ? checkRequest(request) : tooMany();
  if (refusal === undefined) {
    answer(exchange);
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

const nobody = (): boolean => false;

const connectedAddress: ClientOf = ({ address = 'unknown' }) => address;

/** Ids that are unique over restarts and replicas: what a person finds in the log by. */
function makeRequestIds(): () => string {
  const start = randomHex(6);
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}
