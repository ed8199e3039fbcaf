import fastify, { type FastifyInstance } from 'fastify';
import type { Log } from '../observe/log.ts';
import { addHealthRoutes, type ReadinessProbe } from './health.ts';
import { addMetricsRoute, type MetricsText } from './metrics.ts';
import { addVerdictRoute, type FindVerdict } from './verdicts.ts';

export interface AdminDependencies {
  readonly probes: readonly ReadinessProbe[];
  readonly metrics: MetricsText;
  readonly findVerdict: FindVerdict;
  readonly log: Log;
}

/** No request of the admin API carries a body worth reading. */
const maxBodyBytes = 1024;
const requestTimeoutMs = 10_000;

/**
 * The admin API: health, metrics and verdicts, all read-only. It has a listener of its own and is
 * never put on the public one: it says who pulls what and why not.
 */
export function makeAdminServer(dependencies: AdminDependencies): FastifyInstance {
  const { probes, metrics, findVerdict, log } = dependencies;
  const server = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
  });
  addHealthRoutes(server, probes);
  addMetricsRoute(server, metrics);
  addVerdictRoute(server, findVerdict);
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  server.setErrorHandler((error, request, reply) => {
    log.error({ error, path: request.routeOptions.url }, 'the admin API failed');
    return reply.code(500).send({ error: 'internal error' });
  });
  return server;
}
