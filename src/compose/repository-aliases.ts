import type { Config } from '../config/schema.ts';
import type { Repository } from '../oci/repository.ts';

/** Docker Hub is known to clients by these; cosign writes the first. */
const hubHosts = ['index.docker.io', 'registry-1.docker.io'];

/**
 * Names of a repository beside the one that policies have, as cosign writes them into what it
 * signs: by the host and port that it is fetched from, and Docker Hub's.
 */
export function aliasesOf(
  { upstreams }: Pick<Config, 'upstreams'>,
  { upstream, path }: Repository,
): readonly string[] {
  const configured = upstreams[upstream];
  const remote =
    configured !== undefined && 'url' in configured ? [new URL(configured.url).host] : [];
  const hosts = new Set([...remote, ...(upstream === 'docker.io' ? hubHosts : [])]);
  return [...hosts].map((host) => `${host}/${path}`);
}
