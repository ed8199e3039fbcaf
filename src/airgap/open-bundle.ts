import { readBlobRecords } from './blob-index.ts';
import type { BlobRecord, BundleDocument, VolumeList } from './bundle.ts';
import { maxDocumentBytes, readBundleDocument } from './bundle-document.ts';
import { AirgapError } from './airgap-error.ts';
import { findBundle } from './find-bundle.ts';
import { metadataFolder } from './metadata-files.ts';
import { type VerifiedMetadata, verifyMetadata } from './metadata-reader.ts';
import { readRoot } from './metadata-roots.ts';
import { maxVolumeListBytes, readVolumeList } from './volume-list.ts';

/** A bundle for somebody who looks at it, and brings nothing in. */
export interface OpenedBundle {
  /** The folder that has its metadata. */
  readonly folder: string;
  readonly metadata: VerifiedMetadata;
}

/**
 * Opens the bundle in the folders by a pinned root; without one by its own first root, which says
 * that nothing was damaged, and nothing of whose it is. Expiry is reported. Throws `AirgapError`.
 */
export async function openBundle(
  places: readonly string[],
  pinned: Uint8Array | undefined,
  now: Date,
): Promise<OpenedBundle> {
  const folder = await findBundle(places);
  const root = pinned ?? (await ownRoot(folder));
  const trusted = { root, seen: undefined };
  const metadata = await verifyMetadata({ folder, trusted, now, expired: 'reported' });
  return { folder, metadata };
}

async function ownRoot(folder: string): Promise<Uint8Array> {
  const root = await readRoot(metadataFolder(folder), 1);
  if (root !== undefined) return root.bytes;
  throw new AirgapError('METADATA_MISSING', 'metadata/1.root.json is not there');
}

/** What a bundle says of itself; it must be of the bundle that its metadata are of. */
export async function readDocument(metadata: VerifiedMetadata): Promise<BundleDocument> {
  const document = readBundleDocument(await metadata.readTarget('bundle.json', maxDocumentBytes));
  const { stream, sequence } = document;
  if (stream === metadata.stream && sequence === metadata.sequence) return document;
  const told = `bundle.json is of bundle ${sequence} of stream ${stream}`;
  const wanted = `the metadata are of bundle ${metadata.sequence} of stream ${metadata.stream}`;
  throw new AirgapError('STREAM_MISMATCH', `${told}, and ${wanted}`);
}

export async function readVolumes(metadata: VerifiedMetadata): Promise<VolumeList> {
  return readVolumeList(await metadata.readTarget('volumes.json', maxVolumeListBytes), metadata);
}

/** Every record of its index; throws at the end where they were not what the metadata vouch for. */
export function readIndex(
  metadata: VerifiedMetadata,
  volumes: VolumeList,
): AsyncGenerator<BlobRecord> {
  return readBlobRecords(metadata.openTarget('blobs.idx'), volumes);
}
