import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';

export interface PushRegistry {
  readonly origin: string;
  /** By `REPOSITORY@DIGEST`: both hashed when they came. */
  readonly blobs: Map<string, Buffer>;
  /** By `REPOSITORY@DIGEST` and `REPOSITORY:TAG`. */
  readonly manifests: Map<string, Buffer>;
  /** `METHOD PATH` of each request that came. */
  readonly requests: string[];
  /** What is wrong from now on; undefined heals. */
  breakBy(fault: PushFault | undefined): void;
}

/** True: it has answered, or never will. */
export type PushFault = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry that content is pushed to, in memory, and slow to read what it is sent. */
export async function startPushRegistry(t: Test): Promise<PushRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const uploads = new Map<string, Buffer[]>();
  const requests: string[] = [];
  let fault: PushFault | undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request;
    requests.push(`${method} ${url}`);
    if (fault?.(request, response) === true) return;
    const end = (status: number, headers = {}, body?: Buffer): void =>
      void response.writeHead(status, headers).end(body);
    const { pathname, searchParams } = new URL(url, 'http://registry');
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|referrers)\/(.*)$/.exec(pathname) ?? [];
    const has = method === 'HEAD' || method === 'GET';
    if (kind === 'blobs/uploads') {
      const session = name === '' ? String(uploads.size + 1) : name;
      const parts = uploads.get(session) ?? [];
      uploads.set(session, parts);
      if (method === 'PATCH' || method === 'PUT') await readSlowly(request, parts);
      const location = `/v2/${repository}/blobs/uploads/${session}`;
      const bytes = Buffer.concat(parts);
      if (method !== 'PUT') {
        const range = { location, range: `0-${Math.max(0, bytes.length - 1)}` };
        end(method === 'GET' ? 204 : 202, range);
        return;
      }
      const digest = searchParams.get('digest') ?? '';
      if (digestOf(bytes) !== digest) return end(400);
      blobs.set(`${repository}@${digest}`, bytes);
      return end(201, { location: `/v2/${repository}/blobs/${digest}` });
    }
    const key = `${repository}${name.includes(':') ? '@' : ':'}${name}`;
    if (kind === 'manifests' && method === 'PUT') {
      const parts: Buffer[] = [];
      await readSlowly(request, parts);
      const bytes = Buffer.concat(parts);
      manifests.set(key, bytes).set(`${repository}@${digestOf(bytes)}`, bytes);
      return end(201, { 'docker-content-digest': digestOf(bytes) });
    }
    const found = kind === 'blobs' ? blobs.get(key) : manifests.get(key);
    if (!has || kind === 'referrers' || found === undefined) return end(404);
    const type = (JSON.parse(kind === 'manifests' ? found.toString() : '{}') as TypedJson)
      .mediaType;
    end(
      200,
      {
        'content-length': found.length,
        'docker-content-digest': digestOf(found),
        'content-type': type ?? 'application/octet-stream',
      },
      method === 'HEAD' ? undefined : found,
    );
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const breakBy: PushRegistry['breakBy'] = (next) => void (fault = next);
  return { origin: `http://127.0.0.1:${port}`, blobs, manifests, requests, breakBy };
}

interface TypedJson {
  readonly mediaType?: string;
}

async function readSlowly(request: IncomingMessage, parts: Buffer[]): Promise<void> {
  for await (const part of request) {
    parts.push(part as Buffer);
    await turn();
  }
}
