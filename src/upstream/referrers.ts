import { isObject, type Json, readJson } from '../kernel/json.ts';
import type { Log } from '../observe/log.ts';
import { type Descriptor, readDescriptor } from '../oci/descriptor.ts';
import { type Digest, matchesDigest, referrersTag } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { isIndexMediaType, mediaTypes } from '../oci/media-types.ts';
import type { Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { Ask, Exchange } from './exchange.ts';
import { eachPage } from './pagination.ts';
import type { ManifestReader } from './manifests.ts';
import type { RegistryUrls } from './registry-url.ts';
import { answerLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

export interface ReferrersDependencies {
  readonly urls: RegistryUrls;
  readonly exchange: Exchange;
  readonly manifests: Pick<ManifestReader, 'fetchManifest'>;
  readonly log: Log | undefined;
}

/**
 * Every referrer from the API and from the tag schema (distribution-spec, Listing Referrers),
 * asked at the same time: some registries answer the API with an empty list while the index
 * lies under the tag. Only 404 means none; any other failure of one place fails the whole.
 */
export async function listReferrers(
  path: RepositoryPath,
  digest: Digest,
  { urls, exchange, manifests, log }: ReferrersDependencies,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    const [fromApi, fromTag] = await Promise.all([
      readApi(path, digest, urls, exchange, either),
      readTag(path, digest, manifests, exchange, either),
    ]);
    const { found, skipped } = readEntries([...fromApi, ...fromTag]);
    if (skipped > 0) log?.warn({ path, digest, skipped }, 'referrers that are no descriptors');
    return found;
  } catch (error) {
    stop.abort();
    signal.throwIfAborted();
    throw error;
  }
}

async function readApi(
  path: RepositoryPath,
  digest: Digest,
  urls: RegistryUrls,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const entries: Json[] = [];
  let bytesLeft: number = answerLimits.referrersBytes;
  const fetch = async (url: URL) => {
    const ask: Ask = { operation: 'referrers', path, url, accept: mediaTypes.ociIndex };
    const answer = await exchange.read(ask, bytesLeft, signal);
    if (answer === undefined) {
      if (entries.length === 0) return 'enough';
      throw new UpstreamError('UPSTREAM_MISBEHAVED', 'has no page that it named');
    }
    bytesLeft -= answer.bytes.byteLength;
    entries.push(...entriesOf(readJson(answer.bytes)));
    if (entries.length > answerLimits.referrersEntries) throw tooMany();
    return answer;
  };
  const prefix = `${urls.prefix(path)}referrers/`;
  const limits = { maxPages: answerLimits.referrersPages, what: 'referrers' };
  await exchange.named(`referrers of ${path}@${digest}`, signal, () =>
    eachPage(urls.referrers(path, digest), prefix, limits, fetch),
  );
  return entries;
}

/** The index under the fallback tag; its entries are hints, whoever pushed them. */
async function readTag(
  path: RepositoryPath,
  digest: Digest,
  manifests: Pick<ManifestReader, 'fetchManifest'>,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const tag = referrersTag(digest) as Tag;
  const content = await manifests.fetchManifest(path, { tag }, signal);
  // GHCR answers a tag that it does not have with the image itself.
  if (content === undefined || matchesDigest(content.bytes, digest)) return [];
  const { bytes, contentType } = content;
  if (contentType !== undefined && !isIndexMediaType(contentType)) return [];
  return exchange.named(`the index ${path}:${tag}`, signal, () => {
    const entries = entriesOf(readJson(bytes));
    if (entries.length > answerLimits.referrersEntries) throw tooMany();
    return Promise.resolve(entries);
  });
}

/** The entries of an index; olareg says null for none. */
function entriesOf(document: Json): readonly Json[] {
  const manifests = isObject(document) ? document['manifests'] : undefined;
  if (manifests === null) return [];
  if (Array.isArray(manifests)) return manifests as readonly Json[];
  throw new UpstreamError('UPSTREAM_MISBEHAVED', 'answers without a list of referrers');
}

/** One entry that can't be read must not hide the others: it could not be fetched either. */
function readEntries(entries: readonly Json[]): {
  readonly found: readonly Descriptor[];
  readonly skipped: number;
} {
  const byDigest = new Map<Digest, Descriptor>();
  let skipped = 0;
  for (const entry of entries) {
    try {
      const descriptor = readDescriptor(entry, 'a referrer');
      if (!byDigest.has(descriptor.digest)) byDigest.set(descriptor.digest, descriptor);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      skipped += 1;
    }
  }
  return { found: [...byDigest.values()], skipped };
}

function tooMany(): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_TOO_LARGE',
    `has more than ${answerLimits.referrersEntries} referrers`,
  );
}
