import { createHash } from 'node:crypto';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { referenceSuffix, type Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ContentName } from '../storage/blob-store.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleEvidence, BundleImage } from './bundle.ts';

/** A manifest or blob that goes along, and where it is fetched. */
export interface PlannedContent extends ContentName {
  readonly repository: Repository;
  readonly kind: 'manifest' | 'blob';
  /** Through the gate, or, of evidence, as upstream has it. */
  readonly from: 'gate' | 'upstream';
}

export interface PlannedEvidence extends BundleEvidence {
  /** What it speaks about. */
  readonly subject: Digest;
  readonly artifactType: string | undefined;
  /** It names its subject itself, so that a referrers API leads to it. */
  readonly isReferrer: boolean;
}

export interface PlannedImage extends Omit<BundleImage, 'tagVersion' | 'evidence'> {
  readonly evidence: readonly PlannedEvidence[];
  /** Every manifest and blob of it, of its children and of the evidence. */
  readonly contents: readonly PlannedContent[];
}

/** All that is to be exported. */
export interface ExportPlan {
  readonly images: readonly PlannedImage[];
  /** Each once, in the order in which they are written: what is small and looked at comes first. */
  readonly contents: ReadonlyMap<Digest, PlannedContent>;
}

/** Throws `AirgapError`, CONTENT_MISMATCH, where two manifests disagree on a blob's size. */
export function makePlan(found: readonly PlannedImage[]): ExportPlan {
  const images = mergeTwins(found);
  const contents = new Map<Digest, PlannedContent>();
  const all = images.flatMap((image) => image.contents);
  for (const content of [...all.filter(isManifest), ...all.filter((each) => !isManifest(each))]) {
    const { size } = contents.get(content.digest) ?? content;
    if (size !== content.size) {
      const message = `${content.digest} is said to have both ${size} and ${content.size} bytes`;
      throw new AirgapError('CONTENT_MISMATCH', message);
    }
    if (!contents.has(content.digest)) contents.set(content.digest, content);
  }
  return { images, contents };
}

function isManifest({ kind }: PlannedContent): boolean {
  return kind === 'manifest';
}

/** One that is listed twice, with other platforms each time, is one with all of them. */
function mergeTwins(found: readonly PlannedImage[]): readonly PlannedImage[] {
  const images = new Map<string, PlannedImage>();
  for (const image of found) {
    const name = nameOf(image);
    const twin = images.get(name);
    images.set(name, twin === undefined ? image : merge(twin, image));
  }
  return [...images.values()];
}

function merge(one: PlannedImage, other: PlannedImage): PlannedImage {
  if (one.root.digest !== other.root.digest) {
    const message = `${nameOf(one)} moved while the export was planned: run it again`;
    throw new AirgapError('CONTENT_MISMATCH', message);
  }
  const children = new Map<Digest, Descriptor>();
  for (const child of [...one.children, ...other.children]) children.set(child.digest, child);
  const evidence = new Map<string, PlannedEvidence>();
  for (const each of [...one.evidence, ...other.evidence]) {
    evidence.set(`${each.manifest.digest} ${each.tag} ${each.path}`, each);
  }
  return {
    ...one,
    children: [...children.values()],
    evidence: [...evidence.values()],
    contents: [...one.contents, ...other.contents],
  };
}

/** With its tag, or by digest. */
export function nameOf({
  repository,
  tag,
  root,
}: Pick<BundleImage, 'repository' | 'tag' | 'root'>) {
  const reference = tag === undefined ? { digest: root.digest } : { tag };
  return `${scopeOf(repository)}${referenceSuffix(reference)}`;
}

export function tagName(repository: Repository, tag: Tag): string {
  return `${scopeOf(repository)}:${tag}`;
}

/**
 * The same for the same content in the same order, shared out in the same way, after the same
 * bundle: what was written of one is right for the other.
 */
export function digestOfPlan(
  { images, contents }: ExportPlan,
  shared: { readonly base: number | undefined; readonly volumeBytes: number },
): string {
  const hash = createHash('sha256').update(JSON.stringify(shared));
  for (const image of images) {
    const { root, children, evidence } = image;
    const below = [...children, ...evidence.map(({ manifest }) => manifest)];
    const digests = below.map(({ digest }) => digest).toSorted();
    hash.update(`${nameOf(image)} ${root.digest} ${digests.join(' ')}\n`);
  }
  for (const { digest, size } of contents.values()) hash.update(`${digest} ${size}\n`);
  return hash.digest('hex');
}
