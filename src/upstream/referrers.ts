import { isObject, type Json, readJson } from '../kernel/json.ts';
import type { Log } from '../observe/log.ts';
import { type Descriptor, readDescriptor } from '../oci/descriptor.ts';
import { type Digest, matchesDigest, referrersTag } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { isIndexMediaType, mediaTypes } from '../oci/media-types.ts';
import type { Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { FoundReferrers } from './content-source.ts';
import type { Ask, Exchange } from './exchange.ts';
import { toUpstreamError } from './failure.ts';
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

/** What one place lists, as far as it could be read. */
interface Listing {
  readonly entries: readonly Json[];
  readonly failure?: UpstreamError;
}

/**
 * Every referrer from the API and from the tag schema (distribution-spec, Listing Referrers),
 * asked at the same time: some registries answer the API with an empty list while the index
 * lies under the tag. Only 404 means none. What one place says counts whatever the other does.
 */
export async function listReferrers(
  path: RepositoryPath,
  digest: Digest,
  { urls, exchange, manifests, log }: ReferrersDependencies,
  signal: AbortSignal,
): Promise<FoundReferrers> {
  signal.throwIfAborted();
  const [fromApi, fromTag] = await Promise.all([
    listed((add) => readApi(path, digest, urls, exchange, add, signal)),
    listed((add) => readTag(path, digest, manifests, exchange, add, signal)),
  ]);
  const { found, skipped } = readEntries([...fromApi.entries, ...fromTag.entries]);
  if (skipped > 0) log?.warn({ path, digest, skipped }, 'referrers that are no descriptors');
  const incomplete = fromApi.failure ?? fromTag.failure;
  if (incomplete === undefined) return { found };
  if (found.length > 0) return { found, incomplete };
  signal.throwIfAborted();
  throw incomplete;
}

/** Reads one place; what it listed before it failed, or went on for too long, is kept. */
async function listed(
  read: (add: (more: readonly Json[]) => void) => Promise<void>,
): Promise<Listing> {
  const entries: Json[] = [];
  const { referrersEntries } = answerLimits;
  try {
    await read((more) => {
      entries.push(...more.slice(0, referrersEntries - entries.length + 1));
      if (entries.length <= referrersEntries) return;
      const message = `has more than ${referrersEntries} referrers`;
      throw new UpstreamError('UPSTREAM_TOO_LARGE', message);
    });
    return { entries };
  } catch (error) {
    const failure = error instanceof UpstreamError ? error : toUpstreamError(error, 'referrers');
    return { entries: entries.slice(0, referrersEntries), failure };
  }
}

async function readApi(
  path: RepositoryPath,
  digest: Digest,
  urls: RegistryUrls,
  exchange: Exchange,
  add: (more: readonly Json[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let bytesLeft: number = answerLimits.referrersBytes;
  let isFirst = true;
  const fetch = async (url: URL) => {
    const ask: Ask = { operation: 'referrers', path, url, accept: mediaTypes.ociIndex };
    const answer = await exchange.read(ask, bytesLeft, signal);
    if (answer === undefined) {
      if (isFirst) return 'enough';
      throw new UpstreamError('UPSTREAM_MISBEHAVED', 'has no page that it named');
    }
    isFirst = false;
    bytesLeft -= answer.bytes.byteLength;
    add(entriesOf(readList(answer.bytes)));
    return answer;
  };
  const prefix = `${urls.prefix(path)}referrers/`;
  const limits = { maxPages: answerLimits.referrersPages, what: 'referrers' };
  await exchange.named(`referrers of ${path}@${digest}`, signal, () =>
    eachPage(urls.referrers(path, digest), prefix, limits, fetch),
  );
}

/** The index under the fallback tag; its entries are hints, whoever pushed them. */
async function readTag(
  path: RepositoryPath,
  digest: Digest,
  manifests: Pick<ManifestReader, 'fetchManifest'>,
  exchange: Exchange,
  add: (more: readonly Json[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const tag = referrersTag(digest) as Tag;
  const content = await manifests.fetchManifest(path, { tag }, signal);
  // GHCR answers a tag that it does not have with the image itself.
  if (content === undefined || matchesDigest(content.bytes, digest)) return;
  const { bytes, contentType } = content;
  if (contentType !== undefined && !isIndexMediaType(contentType)) return;
  await exchange.named(`the index ${path}:${tag}`, signal, () => {
    add(entriesOf(readList(bytes)));
    return Promise.resolve();
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

/** Time goes by values, more than by bytes. */
function readList(bytes: Uint8Array): Json {
  return readJson(bytes, 32, answerLimits.referrersValues);
}
