import type { FastifyInstance } from 'fastify';
import { messageOf } from '../kernel/tagged-error.ts';

/** One thing without which this process should get no requests. */
export interface ReadinessProbe {
  readonly name: string;
  /** Resolves with what is wrong, or undefined. A rejection counts as wrong. */
  check(): Promise<string | undefined>;
}

interface ProbeResult {
  readonly name: string;
  readonly ok: boolean;
  readonly because?: string;
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

async function runProbe(probe: ReadinessProbe): Promise<ProbeResult> {
  const because = await probe.check().catch(messageOf);
  return { name: probe.name, ok: because === undefined, ...(because !== undefined && { because }) };
}
