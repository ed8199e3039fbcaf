import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DenyReplica } from '../gate/deny-replica.ts';
import { DenyListError } from '../gate/gate-error.ts';
import type { Clock } from '../kernel/clock.ts';
import { isObject, type Json, JsonError, readJson } from '../kernel/json.ts';
import type { Log } from '../observe/log.ts';
import { toListed } from '../verdict/denial.ts';
import { readDenialWish, type WrittenDenial } from '../verdict/denial-wish.ts';
import { requireBearer } from './bearer.ts';

export interface DenyRoutes {
  readonly replica: DenyReplica;
  /** Undefined: nobody may change the list here. */
  readonly token: string | undefined;
  /** RFC 3339; undefined for anything else. */
  readonly parseTime: (text: string) => Date | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const maxBodyBytes = 16 * 1024;
const names = ['digest', 'key', 'identity', 'issuer', 'repository', 'reason', 'owner', 'until'];
const idPattern = /^[0-9a-f]{16}$/;

/**
 * `/v1/deny`: GET lists what is denied, POST adds an entry, DELETE of `/v1/deny/ID` takes one back.
 * All of it for who has the token alone: the reasons are the operators' own.
 */
export function addDenyRoutes(server: FastifyInstance, routes: DenyRoutes): void {
  const { replica, token } = routes;
  server.register(async (scope) => {
    scope.addHook('onRequest', requireBearer(token));
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit: maxBodyBytes },
      async (_request: FastifyRequest, body: Buffer) => body,
    );
    scope.get('/v1/deny', async (_request, reply) =>
      reply.header('cache-control', 'no-store').send(describeList(replica)),
    );
    scope.post('/v1/deny', { bodyLimit: maxBodyBytes }, (request, reply) =>
      answerAdd(request, reply, routes),
    );
    scope.delete<{ Params: { id: string } }>('/v1/deny/:id', (request, reply) =>
      answerRemove(request.params.id, request, reply, routes),
    );
  });
}

function describeList(replica: DenyReplica): object {
  const { list } = replica;
  const { syncedAt, problem, unreadable } = replica.health();
  return {
    epoch: list.epoch(),
    entries: list.entries().map(toListed),
    syncedAt,
    problem,
    unreadable,
  };
}

async function answerAdd(
  request: FastifyRequest,
  reply: FastifyReply,
  { replica, parseTime, clock, log }: DenyRoutes,
): Promise<FastifyReply> {
  const written = readBody(request.body);
  if ('problem' in written) return reply.code(400).send({ error: written.problem });
  const read = readDenialWish(written.body, { now: clock.now(), parse: parseTime });
  if ('problem' in read) return reply.code(400).send({ error: read.problem });
  try {
    const denial = await replica.add(read.wish);
    log.warn({ denial: denial.id, client: request.ip }, 'denied over the admin API');
    return await reply.code(201).send(toListed(denial));
  } catch (error) {
    return fail(reply, error);
  }
}

async function answerRemove(
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
  { replica, log }: DenyRoutes,
): Promise<FastifyReply> {
  try {
    const [removed] = idPattern.test(id) ? await replica.remove([id]) : [];
    if (removed === undefined) {
      return await reply.code(404).send({ error: 'no entry with this id is in force' });
    }
    log.warn({ denial: id, client: request.ip }, 'taken off the deny list over the admin API');
    return await reply.send(toListed(removed));
  } catch (error) {
    return fail(reply, error);
  }
}

function fail(reply: FastifyReply, error: unknown): FastifyReply {
  if (!(error instanceof DenyListError)) throw error;
  return reply.code(error.code === 'DENY_LIST_FULL' ? 409 : 503).send({ error: error.message });
}

type ReadBody = { readonly body: WrittenDenial } | { readonly problem: string };

/** Texts under known names, and nothing else. */
function readBody(body: unknown): ReadBody {
  if (!(body instanceof Uint8Array)) return { problem: 'the body must be application/json' };
  let json: Json;
  try {
    json = readJson(body, 2);
  } catch (error) {
    if (error instanceof JsonError) return { problem: error.message };
    throw error;
  }
  if (!isObject(json)) return { problem: 'the body must be an object' };
  for (const [name, value] of Object.entries(json)) {
    if (!names.includes(name)) return { problem: `there is no member but ${names.join(', ')}` };
    if (typeof value !== 'string') return { problem: `${name} must be text` };
  }
  return { body: json };
}
