import type { Config } from '../config/schema.ts';
import { parseRepositoryPath, type Repository, type RepositoryPath } from '../oci/repository.ts';

/**
 * The repository of the same upstream in which signatures of what lies in `repository` may lie too;
 * undefined where none is configured, or where its name would be too long to exist.
 */
export function signatureRepositoryOf(
  { upstreams }: Pick<Config, 'upstreams'>,
  { upstream, path }: Repository,
): RepositoryPath | undefined {
  const template = upstreams[upstream]?.signatureRepository;
  return template === undefined
    ? undefined
    : parseRepositoryPath(template.replaceAll('{repository}', path));
}
