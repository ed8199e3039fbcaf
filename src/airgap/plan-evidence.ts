import type { Digest } from '../oci/digest.ts';
import { referrersTag } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { artifactTypeOf, type Manifest, partsOf, readManifest } from '../oci/manifest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Tag } from '../oci/reference.ts';
import type { Repository, RepositoryPath } from '../oci/repository.ts';
import type { ContentSource, ManifestContent } from '../upstream/content-source.ts';
import { AirgapError } from './airgap-error.ts';
import type { PlannedContent, PlannedEvidence } from './plan.ts';

export interface EvidenceSearch {
  readonly source: ContentSource;
  readonly repository: Repository;
  /** Where signatures may lie beside the subject's own repository. */
  readonly apart: RepositoryPath | undefined;
  /** What it speaks about, under that tag; undefined for what is no evidence. */
  readonly subjectOf: (manifest: Manifest, tag: Tag | undefined) => Digest | undefined;
  /** What is revoked by hand does not come along. */
  readonly isDenied: (digest: Digest) => boolean;
}

export interface FoundEvidence {
  readonly evidence: readonly PlannedEvidence[];
  readonly contents: readonly PlannedContent[];
}

/** Signatures of signatures of an SBOM are as deep as anybody goes. */
const maxDepth = 4;
/** Of one image, with all its platforms. */
const maxEvidence = 10_000;
const cosignSuffixes = ['.sig', '.att', '.sbom'] as const;

interface Found extends PlannedEvidence {
  readonly parts: readonly Descriptor[];
}

/**
 * Everything that speaks about the subjects, and about that in turn: where the referrers API and
 * the tag schema lead, and under cosign's tags. A place that can't be asked is not empty: throws
 * `UpstreamError` then, and `AirgapError` where there is more than anybody can mean.
 */
export async function findEvidence(
  subjects: readonly Digest[],
  search: EvidenceSearch,
  signal: AbortSignal,
): Promise<FoundEvidence> {
  const found = new Map<string, Found>();
  let level: readonly Digest[] = [...new Set(subjects)];
  const asked = new Set<Digest>(level);
  for (let depth = 0; depth < maxDepth && level.length > 0; depth += 1) {
    const next = new Set<Digest>();
    for (const subject of level) {
      for (const each of await findAbout(subject, search, signal)) {
        found.set(`${each.path}:${each.tag}@${each.manifest.digest}`, each);
        if (!asked.has(each.manifest.digest)) next.add(each.manifest.digest);
      }
      if (found.size > maxEvidence) {
        const message = `${search.repository.path} has over ${maxEvidence} signatures and the like`;
        throw new AirgapError('EXPORT_REFUSED', message);
      }
    }
    level = [...next];
    level.forEach((digest) => asked.add(digest));
  }
  const sorted = [...found.values()].toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return {
    evidence: sorted.map(toPlanned),
    contents: sorted.flatMap((each) => contentsOf(each, search.repository)),
  };
}

function toPlanned(found: Found): PlannedEvidence {
  const { parts: _, ...evidence } = found;
  return evidence;
}

function orderOf({ manifest, tag, path }: Found): string {
  return `${manifest.digest} ${path ?? ''} ${tag ?? ''}`;
}

function contentsOf(
  { manifest, parts, path }: Found,
  { upstream, path: own }: Repository,
): readonly PlannedContent[] {
  const repository = { upstream, path: path ?? own };
  const content = ({ digest, size }: Descriptor, kind: 'manifest' | 'blob'): PlannedContent => ({
    digest,
    size,
    repository,
    kind,
    from: 'upstream',
  });
  return [content(manifest, 'manifest'), ...parts.map((part) => content(part, 'blob'))];
}

/** All places at the same time. What has a tag is found by its subject as well, and told once. */
async function findAbout(
  subject: Digest,
  search: EvidenceSearch,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const { repository, apart } = search;
  const paths = apart === undefined || apart === repository.path ? [] : [apart];
  const places = [repository.path, ...paths].flatMap((path) => [
    findReferrers(subject, path, search, signal),
    ...tagsOf(subject).map((tag) => findTagged(subject, tag, path, search, signal)),
  ]);
  const found = (await Promise.all(places)).flat();
  const tagged = new Set(
    found
      .filter(({ tag }) => tag !== undefined)
      .map(({ path, manifest }) => path + manifest.digest),
  );
  return found.filter(
    ({ tag, path, manifest }) => tag !== undefined || !tagged.has(path + manifest.digest),
  );
}

function tagsOf(subject: Digest): readonly Tag[] {
  const name = subject.replace(':', '-');
  return [referrersTag(subject), ...cosignSuffixes.map((suffix) => name + suffix)] as Tag[];
}

async function findReferrers(
  subject: Digest,
  path: RepositoryPath,
  search: EvidenceSearch,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const { source } = search;
  const { found, incomplete } = await source.listReferrers(path, subject, signal);
  if (incomplete !== undefined) throw incomplete;
  const read: Found[] = [];
  for (const { digest } of found) {
    const content = await source.fetchManifest(path, { digest }, signal);
    // Listed, and gone: as for who would pull it.
    const evidence = content && readEvidence(content, subject, undefined, path, search);
    if (evidence !== undefined) read.push(evidence);
  }
  return read;
}

async function findTagged(
  subject: Digest,
  tag: Tag,
  path: RepositoryPath,
  search: EvidenceSearch,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const content = await search.source.fetchManifest(path, { tag }, signal);
  const evidence = content && readEvidence(content, subject, tag, path, search);
  return evidence === undefined ? [] : [evidence];
}

function readEvidence(
  { bytes, digest }: ManifestContent,
  subject: Digest,
  tag: Tag | undefined,
  path: RepositoryPath,
  { repository, subjectOf, isDenied }: EvidenceSearch,
): Found | undefined {
  const manifest = readUnlessMalformed(bytes);
  if (manifest === undefined || digest === subject || isDenied(digest)) return undefined;
  if (subjectOf(manifest, tag) !== subject) return undefined;
  const { mediaType } = manifest;
  return {
    manifest: { mediaType, digest, size: bytes.byteLength },
    tag,
    path: path === repository.path ? undefined : path,
    subject,
    artifactType: artifactTypeOf(manifest),
    isReferrer: manifest.subject !== undefined,
    // What a list of referrers names comes along for itself.
    parts: manifest.kind === 'index' ? [] : partsOf(manifest),
  };
}

/** Nobody would be served what two clients could read differently. */
function readUnlessMalformed(bytes: Uint8Array): Manifest | undefined {
  try {
    return readManifest(bytes, undefined);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}
