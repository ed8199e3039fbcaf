import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Lets a request through, or answers it. */
export type Authorize = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Only who sends the token (RFC 6750, section 2.1). A browser adds it to nothing by itself, so no
 * other site can have one act for its user. Without a token in the configuration nobody may.
 */
export function requireBearer(token: string | undefined): Authorize {
  const expected = token === undefined ? undefined : hash(token);
  return async (request, reply) => {
    if (expected === undefined) {
      const error = 'admin.token is not set: this needs one, or `assay deny` on the same state';
      await reply.code(403).send({ error });
      return;
    }
    const given = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
    // Hashes have the same length and tell nothing of how much of the token was right.
    if (given !== undefined && timingSafeEqual(hash(given), expected)) return;
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: 'the token is wrong' });
  };
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
