import { NotFoundError } from '../gate/gate-error.ts';
import type { Gate, TrustedManifest } from '../gate/trusted-content.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { isAttestationChild, type Index, partsOf, readManifest } from '../oci/manifest.ts';
import { scopeOf } from '../oci/repository.ts';
import type { ListedImage } from './image-list.ts';

/** An image as the gate lets it through. */
export interface FoundContent {
  readonly root: TrustedManifest;
  /** Those below the root that were asked for, at any depth, each once. */
  readonly children: readonly TrustedManifest[];
  /** Of it and of those children that were asked for, each once. */
  readonly blobs: readonly Descriptor[];
}

const maxDepth = 3;

/** Admits the image and its children, which keeps their manifests. Throws what the gate throws. */
export async function findContent(
  image: ListedImage,
  gate: Pick<Gate, 'admitManifest'>,
  signal: AbortSignal,
): Promise<FoundContent> {
  const { repository, reference } = image;
  const root = await gate.admitManifest(repository, reference, signal);
  const blobs = new Map<string, Descriptor>();
  const children = new Map<string, TrustedManifest>();
  const collect = async (admitted: TrustedManifest, depth: number): Promise<void> => {
    const manifest = readManifest(admitted.bytes, admitted.descriptor.mediaType);
    if (manifest.kind === 'image') {
      for (const blob of partsOf(manifest)) blobs.set(blob.digest, blob);
      return;
    }
    if (depth >= maxDepth) throw new TypeError('indexes of indexes are not followed any further');
    const chosen = depth === 0 ? choose(manifest, image) : manifest.manifests;
    for (const { digest } of chosen) {
      const child = await gate.admitManifest(repository, { digest }, signal);
      children.set(digest, child);
      await collect(child, depth + 1);
    }
  };
  await collect(root, 0);
  return { root, children: [...children.values()], blobs: [...blobs.values()] };
}

/** Every child, or those of the platforms that are asked for, of which none may be missing. */
function choose({ manifests }: Index, { platforms, repository, text }: ListedImage) {
  if (platforms === undefined) return manifests;
  const chosen = new Set<Descriptor>();
  for (const platform of platforms) {
    const fitting = manifests.filter(
      (child) => !isAttestationChild(child) && isFor(child.platform, platform),
    );
    if (fitting.length === 0) {
      const { os, architecture, variant } = platform;
      const name = [os, architecture, variant].filter((part) => part !== undefined).join('/');
      const message = `${text} has nothing for ${name} in ${scopeOf(repository)}`;
      throw new NotFoundError('MANIFEST_UNKNOWN', message);
    }
    fitting.forEach((child) => chosen.add(child));
  }
  const digests = new Set<string>([...chosen].map(({ digest }) => digest));
  return [
    ...chosen,
    ...manifests.filter((child) => isAttestationChild(child) && digests.has(aboutOf(child))),
  ];
}

/** Which child an attestation speaks about, as BuildKit writes it. */
function aboutOf({ annotations }: Descriptor): string {
  return annotations?.['vnd.docker.reference.digest'] ?? '';
}

/** Without a variant any will do. */
function isFor(platform: Platform | undefined, wanted: Platform): boolean {
  return (
    platform?.os === wanted.os &&
    platform.architecture === wanted.architecture &&
    (wanted.variant === undefined || platform.variant === wanted.variant)
  );
}
