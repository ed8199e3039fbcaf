import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { isDigest, referrersTag } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Artifact } from './build-image.ts';
import type { FakeRepository, ReferrersMode } from './fake-registry.ts';
import { indexOf, referrerDescriptor } from './write-layout.ts';

export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** Left out of an answer to HEAD, its length stated all the same. */
  readonly body: Uint8Array;
}

export function send(response: ServerResponse, method: string | undefined, answer: Answer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
  response.end(method === 'HEAD' ? undefined : answer.body);
}

/** distribution-spec, Error Codes. */
export function oci(
  status: number,
  code: string,
  message: string,
  headers: OutgoingHttpHeaders = {},
): Answer {
  return json(status, { errors: [{ code, message }] }, headers);
}

export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

export function answerManifest(
  repository: FakeRepository,
  reference: string,
  mode: ReferrersMode,
): Answer {
  const artifact = isDigest(reference)
    ? repository.manifests.get(reference)
    : (taggedArtifact(repository, reference) ?? fallback(repository, reference, mode));
  if (artifact === undefined) return oci(404, 'MANIFEST_UNKNOWN', 'no such manifest');
  const { descriptor, bytes } = artifact;
  return {
    status: 200,
    headers: {
      'content-type': descriptor.mediaType,
      'docker-content-digest': descriptor.digest,
      etag: `"${descriptor.digest}"`,
    },
    body: bytes,
  };
}

function taggedArtifact(repository: FakeRepository, tag: string): Artifact | undefined {
  return repository.manifests.get(repository.tags.get(tag) ?? '');
}

// distribution-spec, Referrers Tag Schema.
function fallback(
  repository: FakeRepository,
  tag: string,
  mode: ReferrersMode,
): Artifact | undefined {
  if (mode === 'api') return undefined;
  const referrers = [...repository.manifests.values()].filter(
    ({ subject }) => subject !== undefined && referrersTag(subject.digest) === tag,
  );
  if (referrers.length > 0) return indexOf(referrers.map(referrerDescriptor));
  if (mode !== 'ghcr') return undefined;
  return repository.manifests.get(tag.replace('sha256-', 'sha256:'));
}

export function answerReferrers(
  repository: FakeRepository,
  digest: string,
  asked: URL,
  mode: ReferrersMode,
  pageSize = Number.POSITIVE_INFINITY,
): Answer {
  if (mode === 'tag-schema' || mode === 'ghcr') return oci(404, 'UNSUPPORTED', 'no such API');
  if (!isDigest(digest)) return oci(400, 'DIGEST_INVALID', 'not a digest');
  const all = mode === 'empty-api' ? [] : referrersOf(repository, digest);
  const type = asked.searchParams.get('artifactType');
  const listed = type === null ? all : all.filter(({ artifactType }) => artifactType === type);
  const start = Number(asked.searchParams.get('start') ?? 0);
  const page = listed.slice(start, start + pageSize);
  const next = new URL(asked);
  next.searchParams.set('start', String(start + pageSize));
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    // olareg's empty list is null: a slice in Go that was never made.
    manifests: mode === 'empty-api' ? null : page,
  };
  return json(200, document, {
    'content-type': mediaTypes.ociIndex,
    ...(type !== null && { 'oci-filters-applied': 'artifactType' }),
    ...(start + pageSize < listed.length && { link: linkTo(next) }),
  });
}

function referrersOf(repository: FakeRepository, digest: string): readonly Descriptor[] {
  return [...repository.manifests.values()]
    .filter(({ subject }) => subject?.digest === digest)
    .map(referrerDescriptor);
}

/** distribution-spec, Listing Tags: in lexical order, at most `n` after `last`. */
export function answerTags(repository: FakeRepository, asked: URL): Answer {
  const last = asked.searchParams.get('last') ?? '';
  const limit = Number(asked.searchParams.get('n') ?? Number.POSITIVE_INFINITY);
  const after = [...repository.tags.keys()].toSorted().filter((tag) => tag > last);
  const tags = after.slice(0, limit);
  const name = asked.pathname.replace(/^\/v2\/|\/tags\/list$/g, '');
  const next = new URL(asked);
  next.searchParams.set('last', tags.at(-1) ?? last);
  const more = tags.length > 0 && tags.length < after.length;
  return json(200, { name, tags }, more ? { link: linkTo(next) } : {});
}

function linkTo(next: URL): string {
  return `<${next.pathname}${next.search}>; rel="next"`;
}

export function answerBlob(
  repository: FakeRepository,
  digest: string,
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
): Answer {
  const blob = repository.blobs.get(digest) ?? repository.manifests.get(digest);
  if (blob === undefined) return oci(404, 'BLOB_UNKNOWN', 'no such blob');
  const { bytes } = blob;
  const etag = `"${digest}"`;
  const headers = {
    'content-type': mediaTypes.octets,
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
  };
  // RFC 9110, 13.1.5.
  const isWanted = range !== undefined && (ifRange === undefined || ifRange === etag);
  const part = isWanted ? readRange(range, bytes.length) : undefined;
  if (part === undefined) return { status: 200, headers, body: bytes };
  if (part === 'unsatisfiable') {
    return oci(416, 'SIZE_INVALID', 'no such range', {
      'content-range': `bytes */${bytes.length}`,
    });
  }
  const { first, last } = part;
  const contentRange = `bytes ${first}-${last}/${bytes.length}`;
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange },
    body: bytes.subarray(first, last + 1),
  };
}

/** RFC 9110, 14.1.2: one range, `a-b`, `a-` or `-suffix`; anything else is as if absent. */
function readRange(
  text: string,
  size: number,
): { readonly first: number; readonly last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(text);
  const [, from = '', to = ''] = match ?? [];
  if (match === null || (from === '' && to === '')) return undefined;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  return first > last ? 'unsatisfiable' : { first, last };
}
