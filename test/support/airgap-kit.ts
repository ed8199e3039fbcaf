import type { BundleDocument, BundleImage, VolumeList } from '../../src/airgap/bundle.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { parseTag } from '../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../src/oci/repository.ts';
import type { ContentName } from '../../src/storage/blob-store.ts';

export const stream = '0123456789abcdef0123456789abcdef';

export function manifestOf(text: string): Descriptor {
  const bytes = Buffer.from(text);
  return { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
}

export function contentOf(bytes: Uint8Array): ContentName {
  return { digest: digestOf(bytes), size: bytes.length };
}

export function imageOf(changes: Partial<BundleImage> = {}): BundleImage {
  return {
    repository: {
      upstream: 'docker.io',
      path: parseRepositoryPath('library/app') as RepositoryPath,
    },
    tag: parseTag('1.0'),
    tagVersion: 1,
    root: manifestOf('root'),
    children: [manifestOf('child')],
    evidence: [{ manifest: manifestOf('signature'), tag: undefined, path: undefined }],
    ...changes,
  };
}

export function documentOf(changes: Partial<BundleDocument> = {}): BundleDocument {
  return {
    stream,
    sequence: 2,
    kind: 'content',
    base: 1,
    previous: { sequence: 1, snapshot: digestOf(Buffer.from('snapshot 1')) },
    created: new Date('2030-01-01T00:00:00Z'),
    exporter: 'assay 0.1.0',
    images: [imageOf()],
    rollbacks: [],
    denials: [],
    revocationAsOf: new Date('2029-12-31T00:00:00Z'),
    trust: [{ path: 'trust/policy.yaml', kind: 'policy' }],
    ...changes,
  };
}

/** A stream of the bytes, in pieces of a size. */
export async function* inPieces(bytes: Uint8Array, pieceBytes = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** A list as a reader of records needs it: sizes alone. */
export function volumesOf(...sizes: readonly number[]): VolumeList {
  const volumes = sizes.map((bytes, index) => ({
    number: index + 1,
    name: `volume ${index + 1}`,
    bytes,
    chunks: [],
  }));
  return { chunkBytes: 4096, volumes };
}

export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
