import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:net';
import { type Artifact, type BuiltBlob, closureOf } from './build-image.ts';
import { checkAuth, type FakeAuth, makeTokens } from './fake-registry-auth.ts';
import {
  type Answer,
  answerBlob,
  answerManifest,
  answerReferrers,
  answerTags,
  oci,
  send,
} from './fake-registry-answers.ts';

/**
 * Where a signature is found:
 * - `api`: the referrers API, as distribution-spec 1.1 asks;
 * - `tag-schema`: the API is 404, an index lies under the fallback tag (crane's, distribution's);
 * - `empty-api`: the API answers 200 and an empty list, the index lies under the tag (olareg 0.1.2);
 * - `ghcr`: as tag-schema, and a fallback tag that is not there answers with the image itself.
 */
export type ReferrersMode = 'api' | 'tag-schema' | 'empty-api' | 'ghcr';

export interface FakeRegistryOptions {
  readonly referrers?: ReferrersMode;
  /** At most so many referrers a page; all on one unless told. */
  readonly referrersPageSize?: number;
  /** None unless told. */
  readonly auth?: FakeAuth;
  /** PEMs; plain HTTP without them. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface FakeRepository {
  readonly manifests: Map<string, Artifact>;
  readonly blobs: Map<string, BuiltBlob>;
  readonly tags: Map<string, string>;
}

export interface FakeRegistry {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Every request in order, token requests too. */
  readonly requests: readonly LoggedRequest[];
  /** How many requests had the method (`*`: any) and a path that the pattern matches. */
  count(method: string, path: RegExp): number;
  forgetRequests(): void;
  /** Keeps the artifact with all that it lists, and moves the tag to it. */
  put(repository: string, artifact: Artifact, tag?: string): void;
  /** Forgets one manifest or blob. */
  remove(repository: string, digest: string): void;
  /** Tokens given so far are refused from now on. */
  revokeTokens(): void;
  close(): Promise<void>;
}

/** A registry to read from, in memory, on a free port of 127.0.0.1. */
export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const repositories = new Map<string, FakeRepository>();
  const requests: LoggedRequest[] = [];
  const tokens = makeTokens(options.auth);
  let url = '';

  const respond = async (request: IncomingMessage): Promise<Answer> => {
    const { method = 'GET', url: path = '/', headers } = request;
    requests.push({ method, path, headers });
    const asked = new URL(path, url);
    if (asked.pathname === '/token') return tokens.answer(request, asked);
    const refusal = checkAuth(options.auth, tokens, request, asked, url);
    return refusal ?? route(method, asked, headers);
  };

  const route = (method: string, asked: URL, headers: IncomingHttpHeaders): Answer => {
    if (asked.pathname === '/v2/') return { status: 200, headers: {}, body: Buffer.from('{}') };
    const match =
      /^\/v2\/(?<name>.+)\/(?<kind>manifests|blobs|referrers|tags)\/(?<reference>[^/]+)$/.exec(
        asked.pathname,
      );
    if (match?.groups === undefined) return oci(404, 'NAME_UNKNOWN', 'no such page');
    if (method !== 'GET' && method !== 'HEAD')
      return oci(405, 'UNSUPPORTED', 'this is for reading');
    const { name = '', kind = '', reference = '' } = match.groups;
    const repository = repositories.get(name);
    if (repository === undefined) return oci(404, 'NAME_UNKNOWN', 'no such repository');
    const mode = options.referrers ?? 'api';
    if (kind === 'manifests') return answerManifest(repository, reference, mode);
    if (kind === 'blobs') return answerBlob(repository, reference, headers);
    if (kind === 'tags') return answerTags(repository, asked);
    return answerReferrers(repository, reference, asked, mode, options.referrersPageSize);
  };

  const server = listenerFor(options, (request, response) => {
    respond(request).then(
      (answer) => send(response, request.method, answer),
      (error: unknown) => send(response, request.method, oci(500, 'UNKNOWN', String(error))),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `${options.tls === undefined ? 'http' : 'https'}://${host}`;

  const repositoryOf = (name: string): FakeRepository => {
    const known = repositories.get(name);
    if (known !== undefined) return known;
    const made: FakeRepository = { manifests: new Map(), blobs: new Map(), tags: new Map() };
    repositories.set(name, made);
    return made;
  };
  return {
    url,
    host,
    requests,
    count: (method, path) =>
      requests.filter((each) => (method === '*' || each.method === method) && path.test(each.path))
        .length,
    forgetRequests: () => void requests.splice(0),
    put(name, artifact, tag) {
      const repository = repositoryOf(name);
      const { manifests, blobs } = closureOf(artifact);
      for (const each of manifests) repository.manifests.set(each.descriptor.digest, each);
      for (const each of blobs) repository.blobs.set(each.descriptor.digest, each);
      if (tag !== undefined) repository.tags.set(tag, artifact.descriptor.digest);
    },
    remove(name, digest) {
      const { manifests, blobs } = repositoryOf(name);
      manifests.delete(digest);
      blobs.delete(digest);
    },
    revokeTokens: () => tokens.revoke(),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Listener = Parameters<typeof createServer>[1];
type Closable = Server & { closeAllConnections(): void };

function listenerFor({ tls }: FakeRegistryOptions, listener: Listener): Closable {
  if (tls === undefined) return createServer(listener ?? (() => undefined));
  return createTlsServer({ cert: tls.certificate, key: tls.key }, listener);
}
