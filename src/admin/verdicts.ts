import type { FastifyInstance } from 'fastify';
import type { Verdict } from '../verdict/verdict.ts';

/** Finds a verdict by the id that a denial names; undefined when it is not, or no longer, known. */
export type FindVerdict = (id: string) => Promise<Verdict | undefined>;

// Verdict ids are lower-case hex.
const idPattern = /^[0-9a-f]{1,64}$/;

/** `/v1/verdicts/ID`: the verdict with every check, as `assay explain --json` prints it. */
export function addVerdictRoute(server: FastifyInstance, findVerdict: FindVerdict): void {
  server.get<{ Params: { id: string } }>('/v1/verdicts/:id', async (request, reply) => {
    const { id } = request.params;
    const verdict = idPattern.test(id) ? await findVerdict(id) : undefined;
    if (verdict === undefined) {
      return reply.code(404).send({ error: 'no verdict with this id is known here' });
    }
    return reply.send(verdict);
  });
}
