import type { Digest } from '../oci/digest.ts';
import { referenceSuffix } from '../oci/reference.ts';
import { scopeOf } from '../oci/repository.ts';
import { describeTarget } from '../verdict/denial.ts';
import type { BundleDocument, BundleImage, VolumeList } from './bundle.ts';
import { manifestsOf } from './bundle-manifests.ts';
import { evidenceKind } from './evidence-kind.ts';
import type { RoleSummary, VerifiedMetadata } from './metadata-reader.ts';
import type { BundleRole } from './metadata-state.ts';
import { openBundle, readDocument, readIndex, readVolumes } from './open-bundle.ts';
import { findCopies } from './volume-places.ts';

/** What is in a bundle, who signed it, and what is new. */
export interface BundleInspection {
  /** `pinned`: the root that was given vouches for it. `itself`: nothing says whose it is. */
  readonly vouchedBy: 'pinned' | 'itself';
  readonly stream: string;
  readonly sequence: number;
  readonly kind: BundleDocument['kind'];
  readonly base: number | undefined;
  readonly created: Date;
  readonly ageSeconds: number;
  readonly exporter: string;
  readonly roles: Readonly<Record<BundleRole, RoleSummary>>;
  readonly expired: readonly BundleRole[];
  readonly revocationAsOf: Date | undefined;
  readonly images: readonly InspectedImage[];
  readonly content: ContentSizes;
  readonly volumes: readonly InspectedVolume[];
  /** In words. */
  readonly denials: readonly string[];
  readonly rollbacks: readonly string[];
  /** Paths of the trust material. */
  readonly trust: readonly string[];
}

export interface InspectedImage {
  readonly reference: string;
  readonly digest: Digest;
  readonly tagVersion: number | undefined;
  readonly children: number;
  /** Of each piece of evidence, such as `notation signature`. */
  readonly evidence: readonly string[];
  /** `carried`: the base does not have it. `assumed`: the base has it, and all its evidence. */
  readonly news: 'carried' | 'new-evidence' | 'assumed';
}

export interface ContentSizes {
  readonly carriedBlobs: number;
  readonly carriedBytes: number;
  readonly assumedBlobs: number;
  readonly assumedBytes: number;
}

export interface InspectedVolume {
  readonly name: string;
  readonly bytes: number;
  /** Of the files that have its name; what is in them is not read. */
  readonly copies: number;
}

/** Reads all of a bundle but its volumes. Throws `AirgapError`. */
export async function inspectBundle(
  places: readonly string[],
  root: Uint8Array | undefined,
  now: Date,
): Promise<BundleInspection> {
  const { metadata } = await openBundle(places, root, now);
  const { stream, sequence, roles, expired } = metadata;
  const document = await readDocument(metadata);
  const list = await readVolumes(metadata);
  const { content, carried } = await readContent(metadata, document, list);
  const { kind, base, created, exporter, revocationAsOf, denials, rollbacks, trust } = document;
  return {
    vouchedBy: root === undefined ? 'itself' : 'pinned',
    stream,
    sequence,
    kind,
    base,
    created,
    ageSeconds: Math.round((now.getTime() - created.getTime()) / 1000),
    exporter,
    roles,
    expired,
    revocationAsOf,
    images: document.images.map((image) => inspectImage(image, carried)),
    content,
    volumes: await inspectVolumes(list, places),
    denials: denials.map(({ target, because }) => `${describeTarget(target)}: ${because}`),
    rollbacks: rollbacks.map(
      ({ repository, tag, to, owner, until }) =>
        `${scopeOf(repository)}:${tag} to ${to}, by ${owner} until ${until.toISOString()}`,
    ),
    trust: trust.map(({ path }) => path),
  };
}

/** Which of the manifests that it speaks of come along, and how much there is of all. */
async function readContent(
  metadata: VerifiedMetadata,
  document: BundleDocument,
  list: VolumeList,
): Promise<{ readonly content: ContentSizes; readonly carried: ReadonlySet<Digest> }> {
  const manifests = new Set([...manifestsOf(document)].map(({ digest }) => digest));
  const carried = new Set<Digest>();
  const content = { carriedBlobs: 0, carriedBytes: 0, assumedBlobs: 0, assumedBytes: 0 };
  for await (const { digest, size, extents } of readIndex(metadata, list)) {
    const state = extents === undefined ? 'assumed' : 'carried';
    content[`${state}Blobs`] += 1;
    content[`${state}Bytes`] += size;
    if (state === 'carried' && manifests.has(digest)) carried.add(digest);
  }
  return { content, carried };
}

function inspectImage(image: BundleImage, carried: ReadonlySet<Digest>): InspectedImage {
  const { repository, tag, tagVersion, root, children, evidence } = image;
  const reference = tag === undefined ? { digest: root.digest } : { tag };
  const isNew = [root, ...children].some(({ digest }) => carried.has(digest));
  const hasNews = evidence.some(({ manifest }) => carried.has(manifest.digest));
  return {
    reference: `${scopeOf(repository)}${referenceSuffix(reference)}`,
    digest: root.digest,
    tagVersion,
    children: children.length,
    evidence: evidence.map(evidenceKind),
    news: isNew ? 'carried' : hasNews ? 'new-evidence' : 'assumed',
  };
}

async function inspectVolumes(
  { volumes }: VolumeList,
  places: readonly string[],
): Promise<readonly InspectedVolume[]> {
  const inspected: InspectedVolume[] = [];
  for (const { name, bytes } of volumes) {
    const copies = await findCopies({ name }, places);
    inspected.push({ name, bytes, copies: copies.length });
  }
  return inspected;
}
