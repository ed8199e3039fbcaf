import type { Metrics } from '../observe/metric-list.ts';
import { type Digest, digestOf, matchesDigest } from '../oci/digest.ts';
import { maxManifestBytes } from '../oci/manifest.ts';
import { manifestMediaTypes } from '../oci/media-types.ts';
import { type Reference, referenceSuffix, type Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { ManifestContent, TagWish } from './content-source.ts';
import type { Ask, Exchange, ReadAnswer } from './exchange.ts';
import { claimedDigestOf, contentTypeOf } from './header.ts';
import type { RegistryUrls } from './registry-url.ts';
import { UpstreamError } from './upstream-error.ts';

export interface ManifestReader {
  resolveTag(
    path: RepositoryPath,
    tag: Tag,
    signal: AbortSignal,
    wish?: TagWish,
  ): Promise<Digest | undefined>;
  fetchManifest(
    path: RepositoryPath,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<ManifestContent | undefined>;
}

/** Always all that we understand: what a client accepts must not make upstream convert. */
const accept = manifestMediaTypes.join(', ');

export function makeManifestReader(
  upstream: string,
  urls: RegistryUrls,
  exchange: Exchange,
  metrics: Metrics | undefined,
): ManifestReader {
  const askFor = (path: RepositoryPath, reference: Reference): Ask => ({
    operation: 'manifest',
    url: urls.manifest(path, reference),
    accept,
    path,
  });
  const named = <T>(
    path: RepositoryPath,
    reference: Reference,
    signal: AbortSignal,
    work: (ask: Ask) => Promise<T>,
  ): Promise<T> =>
    exchange.named(`manifest ${path}${referenceSuffix(reference)}`, signal, () =>
      work(askFor(path, reference)),
    );
  const fetchManifest: ManifestReader['fetchManifest'] = (path, reference, signal) =>
    named(path, reference, signal, async (ask) => {
      const answer = await exchange.read(ask, maxManifestBytes, signal);
      if (answer === undefined) return undefined;
      return readManifestAnswer(answer, reference, () => {
        metrics?.count('assay_content_mismatch_total', { upstream });
      });
    });
  return {
    fetchManifest,
    async resolveTag(path, tag, signal, { isRenewal } = {}) {
      const answer = await named(path, { tag }, signal, (ask) =>
        exchange.head({ ...ask, isRenewal }, signal),
      );
      if (answer === undefined) return undefined;
      // HEAD need not be there nor state a digest before distribution-spec 1.1: then GET does.
      const claimed = answer === 'unsupported' ? undefined : claimedDigestOf(answer);
      return claimed ?? (await fetchManifest(path, { tag }, signal))?.digest;
    },
  };
}

function readManifestAnswer(
  answer: ReadAnswer,
  reference: Reference,
  onMismatch: () => void,
): ManifestContent {
  const { bytes } = answer;
  const contentType = contentTypeOf(answer);
  const expected = 'tag' in reference ? claimedDigestOf(answer) : reference.digest;
  if (expected !== undefined && !matchesDigest(bytes, expected)) {
    onMismatch();
    throw new UpstreamError('UPSTREAM_MISBEHAVED', `answers with bytes that are not ${expected}`);
  }
  // A portal's page would otherwise be held against the image, as a malformed manifest.
  if (contentType === 'text/html') {
    throw new UpstreamError('UPSTREAM_MISBEHAVED', 'answers with an HTML page');
  }
  const digest = 'tag' in reference ? digestOf(bytes) : reference.digest;
  return { bytes, digest, contentType };
}
