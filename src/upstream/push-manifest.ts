import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestOf, matchesDigest, referrersTag } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { maxManifestBytes, readManifest } from '../oci/manifest.ts';
import { isManifestMediaType, mediaTypes } from '../oci/media-types.ts';
import type { Reference, Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { readBody } from './body.ts';
import { isObject, type Json, readJson } from '../kernel/json.ts';
import { claimedDigestOf, contentTypeOf } from './header.ts';
import type { PushWire } from './push-wire.ts';
import { discard } from './redirect.ts';
import { answerLimits } from './remote-options.ts';
import type { RegistryUrls } from './registry-url.ts';
import { UpstreamError } from './upstream-error.ts';

export interface PushedManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

interface ManifestPushing {
  readonly urls: RegistryUrls;
  readonly wire: PushWire;
}

const accepted = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerList,
].join(', ');

/**
 * Pushes a manifest byte for byte, unless it is there: under its digest, or under a tag that leads
 * elsewhere (distribution-spec, Pushing Manifests).
 */
export async function pushManifest(
  path: RepositoryPath,
  reference: Reference,
  { bytes, mediaType, digest }: PushedManifest,
  { urls, wire }: ManifestPushing,
  signal: AbortSignal,
): Promise<'present' | 'pushed'> {
  const url = urls.manifest(path, reference);
  const there = await wire.send(
    { method: 'HEAD', url, path, accept: accepted, expected: [200, 404] },
    signal,
  );
  discard(there);
  const leadsThere = 'digest' in reference || claimedDigestOf(there) === digest;
  if (there.status === 200 && leadsThere) return 'present';
  const body = () => ({ type: mediaType, bytes });
  const answer = await wire.send({ method: 'PUT', url, path, body, expected: [201] }, signal);
  discard(answer);
  const claimed = claimedDigestOf(answer);
  if (claimed === undefined || claimed === digest) return 'pushed';
  throw new UpstreamError('UPSTREAM_MISBEHAVED', `keeps ${digest} as ${claimed}`);
}

/**
 * The digests that the referrers API lists for the subject (distribution-spec, Listing Referrers);
 * none where there is no such API, or where it does not look at what was pushed. Of several pages
 * the first: what is not on it is listed under the tag as well, which does no harm.
 */
export async function readReferrers(
  path: RepositoryPath,
  subject: Digest,
  { urls, wire }: ManifestPushing,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const url = urls.referrers(path, subject);
  const expected = [200, 400, 404, 405, 501];
  const answer = await wire.send({ method: 'GET', url, path, expected }, signal);
  if (answer.status !== 200 || contentTypeOf(answer) !== mediaTypes.ociIndex) {
    discard(answer);
    return new Set();
  }
  const document = readJson(
    await readBody(answer, answerLimits.referrersBytes),
    32,
    answerLimits.referrersValues,
  );
  const listed = isObject(document) ? document['manifests'] : undefined;
  if (!Array.isArray(listed)) return new Set();
  return new Set(
    listed.flatMap((each: Json) =>
      isObject(each) && typeof each['digest'] === 'string' ? [each['digest']] : [],
    ),
  );
}

/**
 * Sees to it that the index under the subject's tag lists all of these (distribution-spec, Referrers
 * Tag Schema); what it lists besides stays. Resolves with whether something was added.
 */
export async function listUnderTag(
  path: RepositoryPath,
  subject: Digest,
  referrers: readonly Descriptor[],
  pushing: ManifestPushing,
  signal: AbortSignal,
): Promise<boolean> {
  const tag = referrersTag(subject) as Tag;
  const listed = await readTagIndex(path, tag, pushing, signal);
  const known = new Set(listed.map(({ digest }) => digest));
  const missing = referrers.filter(({ digest }) => !known.has(digest));
  if (missing.length === 0) return false;
  const manifests = [...listed, ...missing];
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const bytes = Buffer.from(JSON.stringify(index));
  if (bytes.length > maxManifestBytes) {
    const message = `the index of referrers of ${subject} would have ${bytes.length} bytes`;
    throw new UpstreamError('UPSTREAM_TOO_LARGE', message);
  }
  const manifest = { bytes, mediaType: mediaTypes.ociIndex, digest: digestOf(bytes) };
  await pushManifest(path, { tag }, manifest, pushing, signal);
  return true;
}

async function readTagIndex(
  path: RepositoryPath,
  tag: Tag,
  { urls, wire }: ManifestPushing,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const url = urls.manifest(path, { tag });
  const request = { method: 'GET', url, path, accept: accepted, expected: [200, 404] } as const;
  const answer = await wire.send(request, signal);
  if (answer.status === 404) {
    discard(answer);
    return [];
  }
  const bytes = await readBody(answer, maxManifestBytes);
  const claimed = claimedDigestOf(answer);
  const stated = contentTypeOf(answer);
  try {
    if (claimed !== undefined && !matchesDigest(bytes, claimed)) {
      throw new UpstreamError('UPSTREAM_MISBEHAVED', `has other bytes under ${tag} than it says`);
    }
    const isKnown = stated !== undefined && isManifestMediaType(stated);
    const manifest = readManifest(bytes, isKnown ? stated : undefined);
    if (manifest.kind === 'index') return manifest.manifests;
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    const message = `what lies under ${tag} can not be read: ${cause.message}`;
    throw new UpstreamError('UPSTREAM_MISBEHAVED', message, { cause });
  }
  throw new UpstreamError('UPSTREAM_MISBEHAVED', `what lies under ${tag} is no index`);
}
