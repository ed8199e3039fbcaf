import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { ExportPlan } from './plan.ts';

/** What one upstream's repository will have where the bundle is imported. */
interface PlannedRepository {
  readonly tags: Map<Tag, Digest>;
  readonly manifests: Set<Digest>;
  readonly referrers: Map<Digest, Descriptor[]>;
}

/**
 * An upstream as it will be where the bundle is imported: it has what is planned, in the
 * repositories and under the tags that are planned, and nothing else. Bytes come from `source`.
 */
export function makePlannedSource(
  plan: ExportPlan,
  upstream: string,
  source: ContentSource,
): ContentSource {
  const repositories = repositoriesOf(plan, upstream);
  const has = (path: RepositoryPath, digest: Digest): boolean =>
    repositories.has(path) && plan.contents.has(digest);
  return {
    resolveTag: async (path, tag) => repositories.get(path)?.tags.get(tag),
    async fetchManifest(path, reference, signal) {
      const planned = repositories.get(path);
      const digest = 'tag' in reference ? planned?.tags.get(reference.tag) : reference.digest;
      if (digest === undefined || planned?.manifests.has(digest) !== true) return undefined;
      return await source.fetchManifest(path, { digest }, signal);
    },
    async statBlob(path, digest) {
      const planned = has(path, digest) ? plan.contents.get(digest) : undefined;
      return planned && { size: planned.size };
    },
    async openBlob(path, digest, signal, wish) {
      return has(path, digest) ? await source.openBlob(path, digest, signal, wish) : undefined;
    },
    async listTags(path, { limit, last }) {
      const planned = repositories.get(path);
      if (planned === undefined) return undefined;
      const rest = [...planned.tags.keys()].filter((tag) => last === undefined || tag > last);
      return { tags: rest.toSorted().slice(0, limit), more: rest.length > limit };
    },
    listReferrers: async (path, digest) => ({
      found: repositories.get(path)?.referrers.get(digest) ?? [],
    }),
    // Whoever opened the source closes it.
    close: async () => undefined,
  };
}

function repositoriesOf(
  { images }: ExportPlan,
  upstream: string,
): ReadonlyMap<RepositoryPath, PlannedRepository> {
  const repositories = new Map<RepositoryPath, PlannedRepository>();
  const at = (path: RepositoryPath): PlannedRepository => {
    const known = repositories.get(path);
    const made = known ?? { tags: new Map(), manifests: new Set(), referrers: new Map() };
    repositories.set(path, made);
    return made;
  };
  for (const { repository, tag, root, children, evidence } of images) {
    if (repository.upstream !== upstream) continue;
    const own = at(repository.path);
    if (tag !== undefined) own.tags.set(tag, root.digest);
    for (const { digest } of [root, ...children]) own.manifests.add(digest);
    for (const { manifest, tag: under, path, subject, artifactType, isReferrer } of evidence) {
      const place = at(path ?? repository.path);
      place.manifests.add(manifest.digest);
      if (under !== undefined) place.tags.set(under, manifest.digest);
      const listed = place.referrers.get(subject) ?? [];
      if (!isReferrer || listed.some(({ digest }) => digest === manifest.digest)) continue;
      listed.push({ ...manifest, ...(artifactType !== undefined && { artifactType }) });
      place.referrers.set(subject, listed);
    }
  }
  return repositories;
}
