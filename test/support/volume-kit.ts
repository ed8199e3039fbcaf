import { createReadStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Extent, VolumeList } from '../../src/airgap/bundle.ts';
import { openVolumeWriter, type VolumeWriterOptions } from '../../src/airgap/volume-writer.ts';
import { contentOf, inPieces, stream } from './airgap-kit.ts';

export const chunkBytes = 4096;
const { signal } = new AbortController();

export interface WrittenVolumes {
  readonly folder: string;
  readonly list: VolumeList;
  /** Of each content, in its order. */
  readonly extents: readonly (readonly Extent[])[];
}

/** Writes contents into volumes of a new folder, in chunks of 4 KiB. */
export async function writeVolumes(
  parent: string,
  contents: readonly Uint8Array[],
  options: Partial<VolumeWriterOptions> = {},
): Promise<WrittenVolumes> {
  const folder = join(parent, 'volumes');
  mkdirSync(folder, { recursive: true });
  const given = { folder, stream, sequence: 7, volumeBytes: 10_000, chunkBytes, ...options };
  const writer = await openVolumeWriter(given);
  const extents: (readonly Extent[])[] = [];
  try {
    for (const bytes of contents) {
      extents.push(await writer.add(contentOf(bytes), inPieces(bytes), signal));
    }
    return { folder, list: await writer.finish(), extents };
  } finally {
    await writer.abandon();
  }
}

/** The bytes at the places. */
export async function bytesAt(
  { folder, list }: Pick<WrittenVolumes, 'folder' | 'list'>,
  extents: readonly Extent[],
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const { volume, offset, length } of extents) {
    const listed = list.volumes[volume - 1];
    if (length === 0 || listed === undefined) continue;
    const range = { start: offset, end: offset + length - 1 };
    for await (const part of createReadStream(join(folder, listed.name), range)) {
      parts.push(part as Uint8Array);
    }
  }
  return Buffer.concat(parts);
}
