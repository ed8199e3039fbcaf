import { quoted } from '../kernel/quoted.ts';
import { inLibrary, parseRepositoryPath, type Repository } from '../oci/repository.ts';
import { RequestError } from './request-error.ts';

/** Which names lead to which upstream, from the configuration. Looked up, never dialled. */
export interface Names {
  /** The keys of upstreams, such as `docker.io`. */
  readonly upstreams: Pick<ReadonlySet<string>, 'has'>;
  /** Another number after each change of these; undefined where they never change. */
  readonly generation?: (() => number) | undefined;
  /** Host names of ours in lower case, with or without a port, that stand for one upstream. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly defaultUpstream: string | undefined;
}

/** A repository, and how the client wrote it: links lead back in the same form. */
export interface NamedRepository {
  readonly repository: Repository;
  readonly givenName: string;
  readonly givenNamespace: string | undefined;
}

/** The three ways to say which upstream is meant; undefined where the request has none. */
export interface NameSources {
  readonly name: string;
  /** The `ns` parameter that containerd adds. */
  readonly namespace: string | undefined;
  /** The `Host` header. */
  readonly host: string | undefined;
}

/**
 * Finds the repository that a request names: by `ns`, by the key of an upstream as the first
 * segment, by our host name, or by the default. Two that disagree are refused. With `ns` the path
 * is no prefix unless it begins with that same key, since another registry may well have a
 * project that is called like an upstream of ours; one that is called like a registry's host is
 * taken for a disagreement.
 */
export function resolveName(sources: NameSources, names: Names): NamedRepository {
  const { name, namespace } = sources;
  const prefix = prefixOf(name);
  const stated = statedUpstream(namespace, prefix, names);
  const byHost = upstreamOfHost(sources.host, names);
  if (stated !== undefined && byHost !== undefined && stated !== byHost) {
    throw disagreement(
      `this host stands for ${quoted(byHost)}, and the request names ${quoted(stated)}`,
    );
  }
  const path = prefix === stated ? name.slice(prefix.length + 1) : name;
  const repository = toRepository(stated ?? byHost ?? names.defaultUpstream, path);
  return { repository, givenName: name, givenNamespace: namespace };
}

/** The upstream that the request itself names, by `ns` or by the first segment. */
function statedUpstream(
  namespace: string | undefined,
  prefix: string,
  names: Names,
): string | undefined {
  if (namespace === undefined) return names.upstreams.has(prefix) ? prefix : undefined;
  if (!names.upstreams.has(namespace)) {
    throw unknownName(`no upstream is configured for ns=${quoted(namespace)}`);
  }
  if (namespace !== prefix && isRegistryHost(prefix, names)) {
    throw disagreement(`ns=${quoted(namespace)} and the name begins with ${quoted(prefix)}`);
  }
  return namespace;
}

/** The first segment of several; empty, which is no upstream's key, where there is but one. */
function prefixOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('/')));
}

function toRepository(upstream: string | undefined, name: string): Repository {
  const full = upstream === undefined ? name : inLibrary(upstream, name);
  const path = parseRepositoryPath(full);
  if (path === undefined) {
    throw new RequestError(400, 'NAME_INVALID', `${quoted(name)} is no repository name`);
  }
  if (upstream === undefined) {
    throw unknownName(`no upstream is configured for ${quoted(name)}`);
  }
  return { upstream, path };
}

/** A project may be called `demo` like an upstream of ours, but hardly `ghcr.io`. */
function isRegistryHost(prefix: string, names: Names): boolean {
  return names.upstreams.has(prefix) && /[.:]/.test(prefix);
}

function disagreement(message: string): RequestError {
  return new RequestError(400, 'NAME_INVALID', message);
}

function upstreamOfHost(host: string | undefined, names: Names): string | undefined {
  if (host === undefined || names.hosts.size === 0) return undefined;
  const lowerCase = host.toLowerCase();
  return names.hosts.get(lowerCase) ?? names.hosts.get(lowerCase.replace(/:\d+$/, ''));
}

function unknownName(message: string): RequestError {
  return new RequestError(404, 'NAME_UNKNOWN', message);
}
