import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { ConfigError } from '../config/config-error.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import { readBounded } from '../kernel/bounded.ts';
import { isObject, type Json, type JsonObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import type { DenyAccess, ListedDenial } from './deny-access.ts';
import { readFailure } from './read-failure.ts';

/** The admin API of a replica does not do what it was asked to. */
export class AdminApiError extends TaggedError<'ADMIN_API_FAILED'> {}

const maxTokenBytes = 4096;
const timeoutMs = 15_000;
const maxAnswerBytes = 64 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly json: Json;
}

/** The same over the admin API of one replica, which shares it with the others. */
export function openRemoteDenyAccess(url: string, token: string): DenyAccess {
  const ask = (method: string, path: string, body?: object): Promise<Answer> =>
    askAdmin(`${url.replace(/\/+$/, '')}${path}`, method, token, body);
  return {
    async list() {
      const { epoch, entries } = objectOf(await ask('GET', '/v1/deny'), 200);
      if (typeof epoch !== 'number' || !Array.isArray(entries)) throw strange();
      return { epoch, entries: entries.map(readListed) };
    },
    async add(written) {
      const answer = await ask('POST', '/v1/deny', written);
      if (answer.status === 400) return { problem: problemOf(answer) };
      return { wish: readListed(objectOf(answer, 201)) };
    },
    async remove(id) {
      const answer = await ask('DELETE', `/v1/deny/${encodeURIComponent(id)}`);
      return answer.status === 404 ? undefined : readListed(objectOf(answer, 200));
    },
    close: async () => undefined,
  };
}

/** The first line of a file. Throws `ConfigError`. */
export async function readToken(file: string): Promise<string> {
  try {
    const text = await readTextFileBounded(file, maxTokenBytes);
    const [token = ''] = text.split('\n');
    if (token.trim() !== '') return token.trim();
  } catch (cause) {
    const message = `the token ${file} can not be read: ${readFailure(cause)}`;
    throw new ConfigError('CONFIG_UNREADABLE', [message], { cause });
  }
  throw new ConfigError('CONFIG_UNREADABLE', [`the token ${file} is empty`]);
}

async function askAdmin(
  url: string,
  method: string,
  token: string,
  body: object | undefined,
): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const asking = (url.startsWith('https:') ? https : http).request(url, {
      method,
      headers,
      signal,
    });
    asking.end(text);
    // A redirect is an answer like any other: the token is for this address alone.
    const [answer] = (await once(asking, 'response')) as [http.IncomingMessage];
    const bytes = await readBounded(answer, maxAnswerBytes, 'the answer');
    return { status: answer.statusCode ?? 0, json: readJson(bytes) };
  } catch (cause) {
    const message = `the admin API does not answer: ${quoted(messageOf(cause), 200)}`;
    throw new AdminApiError('ADMIN_API_FAILED', message, { cause });
  }
}

function objectOf(answer: Answer, status: number): JsonObject {
  if (answer.status !== status) {
    const message = `the admin API answers ${answer.status}: ${problemOf(answer)}`;
    throw new AdminApiError('ADMIN_API_FAILED', message);
  }
  if (!isObject(answer.json)) throw strange();
  return answer.json;
}

function problemOf({ json }: Answer): string {
  const error = isObject(json) ? json['error'] : undefined;
  return typeof error === 'string' ? quoted(error, 300) : 'no reason given';
}

function readListed(json: Json): ListedDenial {
  if (!isObject(json)) throw strange();
  const { id, kind, what, reason, owner, addedAt, until, epoch } = json;
  const texts = [id, kind, what, reason, owner, addedAt, until ?? ''];
  if (texts.some((text) => typeof text !== 'string') || typeof epoch !== 'number') throw strange();
  return json as unknown as ListedDenial;
}

function strange(): AdminApiError {
  return new AdminApiError('ADMIN_API_FAILED', 'the admin API answers with something else');
}
