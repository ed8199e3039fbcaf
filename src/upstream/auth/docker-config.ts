import { isObject, type Json, JsonError, type JsonObject, readJson } from '../../kernel/json.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { Credential } from './credential.ts';

/** What a docker `config.json` says about one host. */
export type DockerConfigEntry =
  | { readonly helper: string; readonly server: string }
  | { readonly credential: Credential }
  | undefined;

/** The name that `docker login` writes for Docker Hub. */
const hubServer = 'https://index.docker.io/v1/';
const hubHosts = new Set(['registry-1.docker.io', 'index.docker.io', 'docker.io']);

/** The server that a credential helper knows the host by. */
export function helperServerOf(host: string): string {
  return hubHosts.has(host) ? hubServer : host;
}

/**
 * Reads docker's `config.json` as docker does: the host's own helper, then `auths`, then the
 * store for all hosts. Keys of `auths` may be a host or a URL.
 */
export function readDockerConfig(bytes: Uint8Array, host: string): DockerConfigEntry {
  const document = readDocument(bytes);
  const own = helperServerOf(host);
  const servers = hubHosts.has(host) ? [own, ...hubHosts] : [own];
  const { credHelpers, auths, credsStore } = document;
  for (const server of servers) {
    const helper = isObject(credHelpers) ? credHelpers[server] : undefined;
    if (typeof helper === 'string' && helper !== '') return { helper, server };
  }
  const credential = isObject(auths) ? findAuth(auths, servers) : undefined;
  if (credential !== undefined) return { credential };
  if (typeof credsStore === 'string' && credsStore !== '') {
    return { helper: credsStore, server: own };
  }
  return undefined;
}

function findAuth(auths: JsonObject, servers: readonly string[]): Credential | undefined {
  for (const [key, entry] of Object.entries(auths)) {
    if (!servers.includes(key) && !servers.includes(hostOf(key))) continue;
    const credential = readAuth(entry);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

/** `https://ghcr.io/v2/` and `ghcr.io/v2` as `ghcr.io`. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
}

function readAuth(entry: Json): Credential | undefined {
  if (!isObject(entry)) return undefined;
  const { auth, identitytoken: identityToken } = entry;
  const pair = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString() : '';
  const colon = pair.indexOf(':');
  const username = colon === -1 ? readText(entry['username']) : pair.slice(0, colon);
  if (typeof identityToken === 'string' && identityToken !== '') {
    return { kind: 'identity-token', username, secret: identityToken };
  }
  const secret = colon === -1 ? readText(entry['password']) : pair.slice(colon + 1);
  if (username === '' && secret === '') return undefined;
  return { kind: 'password', username, secret: secret.replace(/\0+$/, '') };
}

function readText(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function readDocument(bytes: Uint8Array): JsonObject {
  try {
    const document = readJson(bytes);
    if (isObject(document)) return document;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    // Without the cause's text: it may quote a secret.
  }
  throw new UpstreamError('UPSTREAM_UNAUTHORIZED', "docker's config.json is no JSON object");
}
