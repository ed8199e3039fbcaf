import type { FastifyInstance } from 'fastify';
import { messageOf } from '../kernel/tagged-error.ts';

/** One thing without which this process should get no requests. */
export interface ReadinessProbe {
  readonly name: string;
  /** A rejection counts as not ok. */
  check(): Promise<Readiness>;
}

export interface Readiness {
  readonly ok: boolean;
  /** What was found, in a few words for a person. */
  readonly says: string;
}

/**
 * `/livez`: the process answers. `/readyz`: every probe passes; 503 says which does not, so that a
 * load balancer moves on and a person knows why.
 */
export function addHealthRoutes(server: FastifyInstance, probes: readonly ReadinessProbe[]): void {
  server.get('/livez', () => ({ live: true }));
  server.get('/readyz', async (_request, reply) => {
    const checks = await Promise.all(probes.map(runProbe));
    // Readiness without a single probe would be a promise that nobody checked.
    const ready = checks.length > 0 && checks.every((check) => check.ok);
    return reply.code(ready ? 200 : 503).send({ ready, checks });
  });
}

async function runProbe(probe: ReadinessProbe): Promise<Readiness & { name: string }> {
  const { name } = probe;
  try {
    return { name, ...(await probe.check()) };
  } catch (error) {
    return { name, ok: false, says: messageOf(error) };
  }
}
