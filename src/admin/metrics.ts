import type { FastifyInstance } from 'fastify';

/** What `/metrics` serves; observe/metrics.ts has it. */
export interface MetricsText {
  readonly contentType: string;
  render(): Promise<string>;
}

/** `/metrics` in Prometheus' text format. */
export function addMetricsRoute(server: FastifyInstance, metrics: MetricsText): void {
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.render()),
  );
}
