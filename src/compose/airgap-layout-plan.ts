import { AirgapError } from '../airgap/airgap-error.ts';
import type { NamedEntry, NamedLayout, NamesWish } from '../airgap/layout-names.ts';
import { findEvidence } from '../airgap/plan-evidence.ts';
import type { PlannedContent, PlannedImage } from '../airgap/plan.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { type Manifest, partsOf, readManifest } from '../oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType } from '../oci/media-types.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { subjectOf } from './airgap-plan.ts';

const maxDepth = 3;
const maxManifests = 20_000;

interface Found {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/**
 * The images of a layout with all of them that is in it: children of an index may be missing, for
 * platforms that did not come along, and nothing else. Throws `AirgapError` (REPOSITORY_UNCLEAR,
 * LAYOUT_MALFORMED, BLOB_MISSING).
 */
export async function planLayout(
  named: NamedLayout,
  wish: NamesWish | undefined,
  sourceOf: (upstream: string) => ContentSource,
  signal: AbortSignal,
): Promise<readonly PlannedImage[]> {
  const planned: PlannedImage[] = [];
  const inside = new Set<Digest>();
  try {
    for (const entry of named.images) {
      const image = await planEntry(entry, sourceOf(entry.repository.upstream), signal);
      planned.push(image);
      for (const { digest } of [image.root, ...image.children]) inside.add(digest);
    }
    for (const entry of await findNameless(named, wish, inside, sourceOf, signal)) {
      planned.push(await planEntry(entry, sourceOf(entry.repository.upstream), signal));
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof UpstreamError) && !(cause instanceof MalformedError)) throw cause;
    const message = `the layout can not be read: ${cause.message}`;
    throw new AirgapError('LAYOUT_MALFORMED', message, { cause });
  }
  if (planned.length > 0) return planned;
  throw new AirgapError('LAYOUT_MALFORMED', 'the layout has no images');
}

/** Images that stand in index.json without a name, as skopeo writes one alone. */
async function findNameless(
  { unnamed }: NamedLayout,
  wish: NamesWish | undefined,
  inside: ReadonlySet<Digest>,
  sourceOf: (upstream: string) => ContentSource,
  signal: AbortSignal,
): Promise<readonly NamedEntry[]> {
  const entries: NamedEntry[] = [];
  for (const descriptor of unnamed) {
    const { digest, mediaType } = descriptor;
    if (inside.has(digest) || !isManifestMediaType(mediaType)) continue;
    const repository = { upstream: wish?.upstream ?? '', path: wish?.path };
    const { path } = repository;
    if (path === undefined) {
      if (inside.size > 0) continue;
      const message = `nothing says which repository ${digest} is of: give --repository UPSTREAM/PATH`;
      throw new AirgapError('REPOSITORY_UNCLEAR', message);
    }
    const entry = { descriptor, repository: { ...repository, path }, tag: undefined };
    const found = await readFound(
      entry.repository,
      descriptor,
      sourceOf(repository.upstream),
      signal,
    );
    if (found !== undefined && found.manifest.subject === undefined) entries.push(entry);
  }
  return entries;
}

async function planEntry(
  { descriptor, repository, tag }: NamedEntry,
  source: ContentSource,
  signal: AbortSignal,
): Promise<PlannedImage> {
  const top = await readFound(repository, descriptor, source, signal);
  if (top === undefined) throw missing(repository, descriptor);
  const found = new Map<Digest, Found>([[top.descriptor.digest, top]]);
  await collectBelow(top, 0, { repository, source, found }, signal);
  const manifests = [...found.values()];
  const { evidence, contents } = await findEvidence(
    manifests.map((each) => each.descriptor.digest),
    { source, repository, apart: undefined, subjectOf, isDenied: () => false },
    signal,
  );
  const content = ({ digest, size }: Descriptor, kind: PlannedContent['kind']): PlannedContent => ({
    digest,
    size,
    repository,
    kind,
    from: 'upstream',
  });
  const blobs = manifests.flatMap(({ manifest }) =>
    manifest.kind === 'index' ? [] : partsOf(manifest),
  );
  return {
    repository,
    tag,
    root: top.descriptor,
    children: manifests.slice(1).map((each) => each.descriptor),
    evidence,
    contents: [
      ...manifests.map((each) => content(each.descriptor, 'manifest')),
      ...contents,
      ...blobs.map((each) => content(each, 'blob')),
    ],
  };
}

interface Collecting {
  readonly repository: Repository;
  readonly source: ContentSource;
  readonly found: Map<Digest, Found>;
}

async function collectBelow(
  { manifest }: Found,
  depth: number,
  collecting: Collecting,
  signal: AbortSignal,
): Promise<void> {
  if (manifest.kind !== 'index') return;
  const { repository, source, found } = collecting;
  for (const descriptor of manifest.manifests) {
    if (found.has(descriptor.digest) || !isManifestMediaType(descriptor.mediaType)) continue;
    const child = await readFound(repository, descriptor, source, signal);
    if (child === undefined) continue;
    found.set(descriptor.digest, child);
    const isTooMuch = depth >= maxDepth && isIndexMediaType(descriptor.mediaType);
    if (isTooMuch || found.size > maxManifests) {
      const message = `${scopeOf(repository)} nests more than is followed`;
      throw new AirgapError('LAYOUT_MALFORMED', message);
    }
    await collectBelow(child, depth + 1, collecting, signal);
  }
}

async function readFound(
  { path }: Repository,
  { mediaType, digest, size }: Descriptor,
  source: ContentSource,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const content = await source.fetchManifest(path, { digest }, signal);
  if (content === undefined) return undefined;
  if (content.bytes.byteLength !== size) {
    throw new MalformedError('MANIFEST_MALFORMED', `${digest} has not the size that is stated`);
  }
  const manifest = readManifest(content.bytes, mediaType);
  return { descriptor: { mediaType, digest, size }, manifest };
}

function missing(repository: Repository, { digest }: Descriptor): AirgapError {
  const message = `the layout is not whole: ${scopeOf(repository)} needs ${digest}`;
  return new AirgapError('BLOB_MISSING', message);
}
