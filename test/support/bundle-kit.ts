import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatBlobRecord } from '../../src/airgap/blob-index.ts';
import { writeBundleDocument } from '../../src/airgap/bundle-document.ts';
import type {
  BlobRecord,
  BundleDenial,
  BundleDocument,
  BundleImage,
  Sequence,
  TagRollback,
  TrustFile,
} from '../../src/airgap/bundle.ts';
import type { NewTarget } from '../../src/airgap/metadata-writer.ts';
import { writeVolumeList } from '../../src/airgap/volume-list.ts';
import { openVolumeWriter } from '../../src/airgap/volume-writer.ts';
import type { NonEmpty } from '../../src/kernel/non-empty.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseTag } from '../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../src/oci/repository.ts';
import { inPieces, stream as usualStream } from './airgap-kit.ts';
import { type Artifact, type BuiltBlob, closureOf } from './build-image.ts';
import { type BundleWish, rootsOf, writeBundle } from './metadata-kit.ts';

/** An image in a bundle. */
export interface BundledImage {
  /** `UPSTREAM/PATH:TAG`, or without a tag. */
  readonly name: string;
  readonly artifact: Artifact;
  readonly tagVersion?: number;
  /** Untagged, as signatures that name their subject are. */
  readonly evidence?: readonly Artifact[];
}

/** What a bundle is to be; a good full one, the first of its stream, unless told. */
export interface FullBundleWish extends Partial<Omit<BundleWish, 'folder' | 'targets'>> {
  readonly folder: string;
  readonly images: readonly BundledImage[];
  readonly stream?: string;
  readonly kind?: BundleDocument['kind'];
  readonly base?: Sequence;
  readonly previous?: BundleDocument['previous'];
  readonly created?: string;
  readonly denials?: readonly BundleDenial[];
  readonly rollbacks?: readonly TagRollback[];
  readonly revocationAsOf?: string;
  /** By path below `trust/`. */
  readonly trust?: Readonly<
    Record<string, { readonly kind: TrustFile['kind']; readonly bytes: Uint8Array }>
  >;
  /** Content that is not carried. */
  readonly assumed?: readonly Digest[];
  /** Content of digest and other bytes, as a faulty exporter would write it. */
  readonly volumeBytes?: number;
  readonly chunkBytes?: number;
  /** Changes what was made, before it is signed. */
  readonly changeIndex?: (text: string) => string;
  readonly changeDocument?: (document: BundleDocument) => BundleDocument;
}

export interface FullBundle {
  readonly folder: string;
  readonly sequence: Sequence;
  readonly snapshot: Digest;
  readonly document: BundleDocument;
  /** File names of its volumes. */
  readonly volumes: readonly string[];
  /** What the next one says of it. */
  readonly asPrevious: NonNullable<BundleDocument['previous']>;
}

export const usualRoots: NonEmpty<Buffer> = await rootsOf({});

/** Volumes and chunks are small unless told, so that little content makes many. */
export async function writeFullBundle(wish: FullBundleWish): Promise<FullBundle> {
  const { folder, sequence = 1, stream = usualStream, volumeBytes = 40_000 } = wish;
  const { chunkBytes = 4096, roots = usualRoots } = wish;
  const volumes = join(folder, 'volumes');
  mkdirSync(volumes, { recursive: true });
  const owner = { stream, sequence };
  const writer = await openVolumeWriter({ ...owner, folder: volumes, volumeBytes, chunkBytes });
  const records: BlobRecord[] = [];
  const assumed: BlobRecord[] = [];
  const { signal } = new AbortController();
  for (const { descriptor, bytes } of contentsOf(wish.images)) {
    const { digest, size } = descriptor;
    if (wish.assumed?.includes(digest) === true) {
      assumed.push({ digest, size, extents: undefined });
      continue;
    }
    const extents = await writer.add({ digest, size }, inPieces(bytes, 10_000), signal);
    records.push({ digest, size, extents });
  }
  const list = await writer.finish();
  const inOrder = assumed.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  const index = [...records, ...inOrder].map(formatBlobRecord).join('');
  const made = documentOf(wish);
  const document = wish.changeDocument?.(made) ?? made;
  const targets: NewTarget[] = [
    { path: 'bundle.json', bytes: writeBundleDocument(document) },
    { path: 'blobs.idx', bytes: Buffer.from(wish.changeIndex?.(index) ?? index) },
    { path: 'volumes.json', bytes: writeVolumeList(list) },
    ...Object.entries(wish.trust ?? {}).map(([path, { bytes }]) => ({
      path: `trust/${path}`,
      bytes,
    })),
  ];
  const snapshot = await writeBundle({ ...wish, folder, roots, sequence, targets });
  return {
    folder,
    sequence,
    snapshot,
    document,
    volumes: list.volumes.map(({ name }) => name),
    asPrevious: { sequence, snapshot },
  };
}

/** Each once: manifests first, then blobs. */
function contentsOf(images: readonly BundledImage[]): readonly BuiltBlob[] {
  const manifests = new Map<Digest, BuiltBlob>();
  const blobs = new Map<Digest, BuiltBlob>();
  for (const { artifact, evidence = [] } of images) {
    for (const each of [artifact, ...evidence]) {
      const closure = closureOf(each);
      for (const manifest of closure.manifests) manifests.set(manifest.descriptor.digest, manifest);
      for (const blob of closure.blobs) blobs.set(blob.descriptor.digest, blob);
    }
  }
  return [...manifests.values(), ...blobs.values()];
}

function documentOf(wish: FullBundleWish): BundleDocument {
  const { sequence = 1, stream = usualStream, kind = 'content', trust = {} } = wish;
  return {
    stream,
    sequence,
    kind,
    base: wish.base,
    previous: wish.previous,
    created: new Date(wish.created ?? '2030-01-01T00:00:00Z'),
    exporter: 'assay test',
    images: wish.images.map(toImage),
    rollbacks: wish.rollbacks ?? [],
    denials: wish.denials ?? [],
    revocationAsOf: wish.revocationAsOf === undefined ? undefined : new Date(wish.revocationAsOf),
    trust: Object.entries(trust).map(([path, { kind: each }]) => ({
      path: `trust/${path}`,
      kind: each,
    })),
  };
}

function toImage({ name, artifact, tagVersion = 1, evidence = [] }: BundledImage): BundleImage {
  const slash = name.indexOf('/');
  const [path = '', tagText] = name.slice(slash + 1).split(':');
  const tag = tagText === undefined ? undefined : parseTag(tagText);
  const { manifests } = closureOf(artifact);
  return {
    repository: {
      upstream: name.slice(0, slash),
      path: parseRepositoryPath(path) as RepositoryPath,
    },
    tag,
    tagVersion: tag === undefined ? undefined : tagVersion,
    root: plain(artifact.descriptor),
    children: manifests
      .filter((each) => each !== artifact)
      .map(({ descriptor }) => plain(descriptor)),
    evidence: evidence.map(({ descriptor }) => ({
      manifest: plain(descriptor),
      tag: undefined,
      path: undefined,
    })),
  };
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
