import type { Digest } from '../../oci/digest.ts';

const schemes = /^(?:oci|docker|https):\/\//;
const packageUrl = /^pkg:(?:oci|docker)\/([^@?#]+)(?:@([^?#]+))?(?:\?([^#]*))?$/;

/**
 * Whether a URI names the artifact: `oci://REPOSITORY@DIGEST`, the same without a scheme, with a
 * tag or with neither, or a package URL of type oci. A digest that it names must be this one.
 */
export function namesArtifact(uri: string, repository: string, digest: Digest): boolean {
  const named = uri.startsWith('pkg:') ? readPackageUrl(uri) : readReference(uri);
  if (named === undefined || named.repository !== repository) return false;
  return named.digest === undefined || named.digest === digest;
}

interface Named {
  readonly repository: string;
  readonly digest: string | undefined;
}

function readReference(uri: string): Named | undefined {
  const [name = '', digest, more] = uri.replace(schemes, '').split('@');
  if (more !== undefined) return undefined;
  // A colon before the last slash belongs to a port.
  const repository = name.replace(/:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, '');
  return { repository, digest };
}

/** purl specification, type oci: the repository is a qualifier, the version is the digest. */
function readPackageUrl(uri: string): Named | undefined {
  const [, name, version, query = ''] = packageUrl.exec(uri) ?? [];
  const repository = new URLSearchParams(query).get('repository_url') ?? undefined;
  if (name === undefined || repository === undefined) return undefined;
  try {
    const isWhole = repository.split('/').at(-1) === decodeURIComponent(name).split('/').at(-1);
    const digest = version === undefined ? undefined : decodeURIComponent(version);
    return isWhole ? { repository, digest } : { repository: `${repository}/${name}`, digest };
  } catch {
    return undefined;
  }
}
