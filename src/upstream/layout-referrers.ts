import { TooLargeError } from '../kernel/bounded.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, matchesDigest, referrersTag } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { type Manifest, maxManifestBytes, readManifest } from '../oci/manifest.ts';
import { isManifestMediaType } from '../oci/media-types.ts';
import type { Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { FoundReferrers } from './content-source.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { LayoutIndex } from './layout-index.ts';
import { describeReferrer } from './referrer-descriptor.ts';
import { answerLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

export type Referrers = ReadonlyMap<Digest, readonly Descriptor[]>;

/** The listed manifests by the subject that they name, as a registry's referrers API has them. */
export async function readSubjects(files: LayoutFiles, index: LayoutIndex): Promise<Referrers> {
  const referrers = new Map<Digest, Descriptor[]>();
  for (const descriptor of index.listed.values()) {
    if (!isManifestMediaType(descriptor.mediaType)) continue;
    const manifest = await readListed(files, descriptor);
    if (manifest?.subject === undefined) continue;
    const known = referrers.get(manifest.subject.digest) ?? [];
    known.push(describeReferrer(descriptor, manifest));
    referrers.set(manifest.subject.digest, known);
  }
  return referrers;
}

/** What the index under the referrers tag lists (distribution-spec, Referrers Tag Schema). */
export async function readReferrersTag(
  files: LayoutFiles,
  index: LayoutIndex,
  path: RepositoryPath,
  digest: Digest,
): Promise<readonly Descriptor[]> {
  const tag = referrersTag(digest) as Tag;
  const descriptor = index.repositories.get(path)?.get(tag) ?? index.digestTags.get(tag);
  if (descriptor === undefined) return [];
  const manifest = await readListed(files, descriptor);
  return manifest?.kind === 'index' ? manifest.manifests : [];
}

export function mergeReferrers(...lists: readonly (readonly Descriptor[])[]): FoundReferrers {
  const byDigest = new Map<Digest, Descriptor>();
  for (const descriptor of lists.flat()) {
    if (!byDigest.has(descriptor.digest)) byDigest.set(descriptor.digest, descriptor);
  }
  const { referrersEntries } = answerLimits;
  const found = [...byDigest.values()].slice(0, referrersEntries);
  if (byDigest.size === found.length) return { found };
  const message = `has more than ${referrersEntries} referrers`;
  return { found, incomplete: new UpstreamError('UPSTREAM_TOO_LARGE', message) };
}

/** Undefined for what is absent or no manifest: it names no subject that anybody could read. */
async function readListed(
  files: LayoutFiles,
  { digest, mediaType }: Descriptor,
): Promise<Manifest | undefined> {
  try {
    const bytes = await files.readBlob(digest, maxManifestBytes);
    if (bytes === undefined || !matchesDigest(bytes, digest)) return undefined;
    return readManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof MalformedError || error instanceof TooLargeError) return undefined;
    throw error;
  }
}
