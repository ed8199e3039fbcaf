import fastify, { type FastifyInstance } from 'fastify';
import type { Log } from '../observe/log.ts';
import { addDenyRoutes, type DenyRoutes } from './deny-list.ts';
import { addHealthRoutes, type ReadinessProbe } from './health.ts';
import { addMetricsRoute, type MetricsText } from './metrics.ts';
import { addVerdictRoute, type FindVerdict } from './verdicts.ts';

export interface AdminDependencies {
  readonly probes: readonly ReadinessProbe[];
  readonly metrics: MetricsText;
  readonly findVerdict: FindVerdict;
  /** Undefined: there is no deny list to speak of. */
  readonly deny?: Omit<DenyRoutes, 'log'> | undefined;
  readonly log: Log;
}

/** No request but those that change the deny list carries a body worth reading. */
const maxBodyBytes = 1024;
const requestTimeoutMs = 10_000;

/**
 * The admin API: health, metrics and verdicts, read-only, and the deny list for who has the token.
 * It has a listener of its own and is never put on the public one: it says who pulls what and why
 * not.
 */
export function makeAdminServer(dependencies: AdminDependencies): FastifyInstance {
  const { probes, metrics, findVerdict, deny, log } = dependencies;
  const server = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
  });
  addHealthRoutes(server, probes);
  addMetricsRoute(server, metrics);
  addVerdictRoute(server, findVerdict);
  if (deny !== undefined) addDenyRoutes(server, { ...deny, log });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  server.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status < 500) return reply.code(status).send({ error: 'the request can not be read' });
    log.error({ error, path: request.routeOptions.url }, 'the admin API failed');
    return reply.code(500).send({ error: 'internal error' });
  });
  return server;
}

/** What fastify says of a request that is too large or of another type, and 500 for all else. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
