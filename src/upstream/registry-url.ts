import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { TagQuery } from './content-source.ts';

/**
 * The only place that makes URLs of the distribution API. It takes parsed names alone, whose
 * grammars hold no character that a URL gives a meaning to (distribution-spec, Endpoints).
 */
export interface RegistryUrls {
  readonly origin: string;
  /** What every URL of a repository begins with, its path only. */
  prefix(path: RepositoryPath): string;
  manifest(path: RepositoryPath, reference: Reference): URL;
  blob(path: RepositoryPath, digest: Digest): URL;
  tags(path: RepositoryPath, query: TagQuery): URL;
  referrers(path: RepositoryPath, digest: Digest): URL;
  /** Where an upload begins; `mount` names a blob, and the repository that has it. */
  uploads(path: RepositoryPath, mount?: MountedBlob): URL;
}

export interface MountedBlob {
  readonly digest: Digest;
  readonly from: RepositoryPath;
}

function prefix(path: RepositoryPath): string {
  return `/v2/${path}/`;
}

export function makeRegistryUrls(origin: string): RegistryUrls {
  const url = (path: RepositoryPath, rest: string): URL => new URL(prefix(path) + rest, origin);
  return {
    origin,
    prefix,
    manifest: (path, reference) =>
      url(path, `manifests/${'tag' in reference ? reference.tag : reference.digest}`),
    blob: (path, digest) => url(path, `blobs/${digest}`),
    tags: (path, { limit, last }) =>
      url(path, `tags/list?n=${limit}${last === undefined ? '' : `&last=${last}`}`),
    referrers: (path, digest) => url(path, `referrers/${digest}`),
    uploads: (path, mount) =>
      url(
        path,
        `blobs/uploads/${mount === undefined ? '' : `?mount=${mount.digest}&from=${mount.from}`}`,
      ),
  };
}

/** The upstream's origin; throws a `TypeError` for a URL that is more, or http unasked. */
export function readUpstreamOrigin(url: string, plainHttp: 'allowed' | undefined): string {
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && plainHttp === 'allowed')) {
    throw new TypeError(`an upstream is reached by https, or by http with plainHttp: allowed`);
  }
  if (`${parsed.origin}/` !== parsed.href) {
    throw new TypeError(`an upstream's url is a scheme, a host and a port, nothing more`);
  }
  return parsed.origin;
}
