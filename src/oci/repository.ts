/** The namespace in a registry in which tags and manifests live: an upstream's key and a path. */
export interface Repository {
  /** The configured key of the upstream, such as `docker.io`: the canonical registry name. */
  readonly upstream: string;
  /** The path in the upstream, such as `library/nginx`. */
  readonly path: RepositoryPath;
}

export type RepositoryPath = string & { readonly [path]: true };
declare const path: unique symbol;

// distribution-spec, Pulling Manifests: <name>; clients limit host and name to 255 together.
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);

export function parseRepositoryPath(text: string): RepositoryPath | undefined {
  return text.length <= 255 && pathPattern.test(text) ? (text as RepositoryPath) : undefined;
}

/** Docker Hub keeps its official images under `library/`, which its clients leave out. */
export function inLibrary(upstream: string, text: string): string {
  return upstream === 'docker.io' && text !== '' && !text.includes('/') ? `library/${text}` : text;
}

/** The name that a trust policy's scope is matched against: `docker.io/library/nginx`. */
export function scopeOf(repository: Repository): string {
  return `${repository.upstream}/${repository.path}`;
}
