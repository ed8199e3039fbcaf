import { quoted } from '../kernel/quoted.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { maxUrlBytes } from './limits.ts';
import { RequestError } from './request-error.ts';

/** What a request asks for. `name` is the repository as the client wrote it, not yet resolved. */
export type Target =
  | { readonly route: 'version' }
  | { readonly route: 'manifests'; readonly name: string; readonly reference: Reference }
  | { readonly route: 'blobs'; readonly name: string; readonly digest: Digest }
  | { readonly route: 'referrers'; readonly name: string; readonly digest: Digest }
  | { readonly route: 'tags'; readonly name: string };

export type RouteName = Target['route'] | 'none';

// Nothing that is encoded has a place in a name, a tag or a digest, so nothing is decoded.
const pathPattern = /^\/[A-Za-z0-9._:@+=~/-]*$/;
const queryPattern = /^[!-~]*$/;
const dotSegment = /\/\.{1,2}(?:\/|$)/;

/** Parts a raw request target into path and query; refuses what is not in origin form and plain. */
export function splitTarget(rawUrl: string): { readonly path: string; readonly query: string } {
  if (rawUrl.length > maxUrlBytes) {
    throw new RequestError(414, 'NAME_INVALID', `the URL is longer than ${maxUrlBytes} bytes`);
  }
  const mark = rawUrl.indexOf('?');
  const path = mark === -1 ? rawUrl : rawUrl.slice(0, mark);
  const query = mark === -1 ? '' : rawUrl.slice(mark + 1);
  if (!pathPattern.test(path) || dotSegment.test(path) || !queryPattern.test(query)) {
    throw new RequestError(
      400,
      'NAME_INVALID',
      'the path has characters or segments that no name, tag or digest has',
    );
  }
  return { path, query };
}

/** Reads a path by the endpoints of distribution-spec; the last segments say which one it is. */
export function parseTarget(path: string): Target {
  if (path === '/v2/' || path === '/v2') return { route: 'version' };
  if (path === '/v2/_catalog') throw notOffered('the catalogue is not offered');
  if (!path.startsWith('/v2/')) throw notOffered('there is no such endpoint');
  const lastSlash = path.lastIndexOf('/');
  const slash = path.lastIndexOf('/', lastSlash - 1);
  const name = path.slice('/v2/'.length, slash);
  const endpoint = path.slice(slash + 1, lastSlash);
  const last = path.slice(lastSlash + 1);
  if (slash > '/v2'.length) {
    if (endpoint === 'manifests') return { route: 'manifests', name, reference: readRef(last) };
    if (endpoint === 'blobs') return { route: 'blobs', name, digest: readDigest(last) };
    if (endpoint === 'referrers') return { route: 'referrers', name, digest: readDigest(last) };
    if (endpoint === 'tags' && last === 'list') return { route: 'tags', name };
  }
  throw notOffered('there is no such endpoint');
}

function readRef(text: string): Reference {
  const reference = parseReference(text);
  if (reference !== undefined) return reference;
  if (text.includes(':')) throw badDigest(text);
  // The conformance suite asks for such a tag as one that can't exist.
  throw new RequestError(404, 'MANIFEST_UNKNOWN', `${quoted(text)} is no tag`);
}

function readDigest(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw badDigest(text);
  return digest;
}

function badDigest(text: string): RequestError {
  return new RequestError(
    400,
    'DIGEST_INVALID',
    `${quoted(text)} is no digest by sha256 or sha512`,
  );
}

function notOffered(message: string): RequestError {
  return new RequestError(404, 'UNSUPPORTED', message);
}
