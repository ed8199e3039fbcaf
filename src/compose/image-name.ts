import { quoted } from '../kernel/quoted.ts';
import { TaggedError } from '../kernel/tagged-error.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { inLibrary, parseRepositoryPath, type Repository } from '../oci/repository.ts';

/** Text that names no artifact of a configured upstream. */
export class ImageNameError extends TaggedError<'IMAGE_NAME_MALFORMED' | 'UPSTREAM_UNKNOWN'> {}

export interface ImageName {
  readonly repository: Repository;
  readonly reference: Reference;
}

/**
 * Reads a name as its upstream writes it: `docker.io/library/nginx:1.27`, `ghcr.io/acme/app@sha256:…`.
 * The first segment must be the key of an upstream; a tag before a digest says nothing, as for every
 * client; without both the tag is `latest`. Throws `ImageNameError`.
 */
export function readImageName(text: string, upstreams: readonly string[]): ImageName {
  const { name, suffix } = split(text);
  const slash = name.indexOf('/');
  const upstream = slash === -1 ? '' : name.slice(0, slash);
  if (!upstreams.includes(upstream)) throw unknownUpstream(text, upstream, upstreams);
  const path = parseRepositoryPath(inLibrary(upstream, name.slice(slash + 1)));
  if (path === undefined) {
    throw malformed(`${quoted(text)} has no valid repository name behind ${upstream}/`);
  }
  const reference = parseReference(suffix);
  if (reference === undefined) throw malformed(`${quoted(suffix)} is no tag and no digest`);
  return { repository: { upstream, path }, reference };
}

function split(text: string): { readonly name: string; readonly suffix: string } {
  const at = text.indexOf('@');
  const tagged = at === -1 ? text : text.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const name = colon === -1 ? tagged : tagged.slice(0, colon);
  if (at !== -1) return { name, suffix: requireDigest(text.slice(at + 1)) };
  return { name, suffix: colon === -1 ? 'latest' : tagged.slice(colon + 1) };
}

function requireDigest(text: string): string {
  const reference = parseReference(text);
  if (reference !== undefined && 'digest' in reference) return text;
  throw malformed(`${quoted(text)} is no digest`);
}

function unknownUpstream(
  text: string,
  upstream: string,
  upstreams: readonly string[],
): ImageNameError {
  const known = `configured are ${upstreams.map((key) => quoted(key)).join(', ')}`;
  const named =
    upstream === ''
      ? `${quoted(text)} names no upstream`
      : `${quoted(upstream)} is no upstream of this configuration`;
  return new ImageNameError(
    'UPSTREAM_UNKNOWN',
    `${named}; write the name as its registry does, such as docker.io/library/nginx:1.27 (${known})`,
  );
}

function malformed(message: string): ImageNameError {
  return new ImageNameError('IMAGE_NAME_MALFORMED', message);
}
