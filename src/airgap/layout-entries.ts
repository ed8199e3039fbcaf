import type { Descriptor } from '../oci/descriptor.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { referenceSuffix, type Tag } from '../oci/reference.ts';
import { scopeOf } from '../oci/repository.ts';
import { AirgapError } from './airgap-error.ts';
import type { ExportPlan, PlannedImage } from './plan.ts';

const refName = 'org.opencontainers.image.ref.name';
/** By which containerd, podman and Docker name what they load. */
const imageName = 'io.containerd.image.name';
/** As many as our own reader, and others, take. */
const maxEntries = 10_000;
const maxIndexBytes = 4 * 1024 * 1024;

/**
 * The index.json of an image layout (image-spec, image-layout.md) with all that is planned: each
 * tag as `PATH:TAG`, and as `TAG` alone where one repository has it; an image without one as
 * `PATH@DIGEST`; referrers without a name, found by the `subject` in their bytes. Throws
 * `AirgapError`.
 */
export function writeLayoutIndex({ images }: Pick<ExportPlan, 'images'>): Buffer {
  const upstreams = new Set(images.map(({ repository }) => repository.upstream));
  if (upstreams.size > 1) {
    const message = `a layout has images of one upstream, not of ${[...upstreams].join(' and ')}`;
    throw new AirgapError('EXPORT_REFUSED', message);
  }
  const entries = images.flatMap((image) => entriesOf(image));
  const alone = namesAlone(entries);
  const manifests = entries.flatMap((entry) => toDescriptors(entry, alone));
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: once(manifests) };
  const bytes = Buffer.from(JSON.stringify(index));
  if (index.manifests.length <= maxEntries && bytes.length <= maxIndexBytes) return bytes;
  throw new AirgapError('EXPORT_REFUSED', 'there are more manifests than a layout can have');
}

interface Entry {
  readonly descriptor: Descriptor;
  readonly scope: string;
  readonly path: string;
  readonly tag: Tag | undefined;
  /** A runtime may load it by name. */
  readonly isImage: boolean;
}

function entriesOf({ repository, tag, root, evidence }: PlannedImage): readonly Entry[] {
  const { upstream, path } = repository;
  const scope = scopeOf(repository);
  return [
    { descriptor: root, scope, path, tag, isImage: true },
    ...evidence.map(({ manifest, tag: under, path: apart = path, artifactType }) => ({
      descriptor: { ...manifest, ...(artifactType !== undefined && { artifactType }) },
      scope: `${upstream}/${apart}`,
      path: apart,
      tag: under,
      isImage: false,
    })),
  ];
}

/** Tags that lead to the same everywhere: a client that knows no repositories finds it by them. */
function namesAlone(entries: readonly Entry[]): ReadonlySet<Tag> {
  const digests = new Map<Tag, string | undefined>();
  for (const { tag, descriptor } of entries) {
    if (tag === undefined) continue;
    const { digest } = descriptor;
    const isSame = !digests.has(tag) || digests.get(tag) === digest;
    digests.set(tag, isSame ? digest : undefined);
  }
  return new Set([...digests].flatMap(([tag, digest]) => (digest === undefined ? [] : [tag])));
}

function toDescriptors(
  { descriptor, scope, path, tag, isImage }: Entry,
  alone: ReadonlySet<Tag>,
): readonly Descriptor[] {
  if (tag === undefined && !isImage) return [descriptor];
  const suffix = referenceSuffix(tag === undefined ? { digest: descriptor.digest } : { tag });
  const full = isImage ? { [imageName]: `${scope}${suffix}` } : {};
  const named = { ...descriptor, annotations: { [refName]: `${path}${suffix}`, ...full } };
  if (tag === undefined) return [named];
  return alone.has(tag) ? [named, { ...descriptor, annotations: { [refName]: tag } }] : [named];
}

function once(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  const named = new Map<string, Descriptor>();
  for (const descriptor of descriptors) {
    const name = `${descriptor.annotations?.[refName] ?? ''} ${descriptor.digest}`;
    if (!named.has(name)) named.set(name, descriptor);
  }
  return [...named.values()];
}
