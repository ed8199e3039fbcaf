import { AirgapError, type AirgapErrorCode } from './airgap-error.ts';
import type { Volume, VolumeList } from './bundle.ts';
import type { VolumeOwner } from './volume-list.ts';
import { findCopies } from './volume-places.ts';
import { readVolume } from './volume-reader.ts';

/** What is wrong with a volume that no copy of it makes good. */
export interface VolumeFinding {
  readonly code: AirgapErrorCode;
  readonly message: string;
  /** From 1. */
  readonly volume: number;
  /** From 1; undefined for the volume as a whole. */
  readonly chunk?: number;
}

interface VolumesOptions {
  readonly owner: VolumeOwner;
  readonly places: readonly string[];
  readonly noteVolume: (finding: VolumeFinding) => void;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads every chunk of every volume, also out of several copies. Resolves with the bytes that were
 * read; rejects with READ_FAILED and the signal's reason.
 */
export async function verifyVolumes(
  { volumes, chunkBytes }: VolumeList,
  options: VolumesOptions,
  signal: AbortSignal,
): Promise<number> {
  const totalBytes = volumes.reduce((sum, { bytes }) => sum + bytes, 0);
  let readBytes = 0;
  for (const volume of volumes) {
    const copies = await findCopies(volume, options.places);
    if (copies.length === 0) {
      const message = `${volume.name} is not there`;
      options.noteVolume({ code: 'VOLUME_MISSING', message, volume: volume.number });
      continue;
    }
    const onBytes = (bytes: number): void => {
      readBytes += bytes;
      options.onProgress(readBytes, totalBytes);
    };
    for (const finding of await verifyOne(volume, chunkBytes, copies, options, onBytes, signal)) {
      options.noteVolume(finding);
    }
  }
  return readBytes;
}

/** What the copies together leave wrong: a chunk that is whole in one of them can be had. */
async function verifyOne(
  volume: Volume,
  chunkBytes: number,
  copies: readonly string[],
  { owner }: VolumesOptions,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<readonly VolumeFinding[]> {
  const { stream, sequence } = owner;
  const left = new Set(volume.chunks.keys());
  const findings: VolumeFinding[] = [];
  for (const file of copies) {
    const note = ({ code, message }: AirgapError, index?: number): void => {
      const chunk = index === undefined ? {} : { chunk: index + 1 };
      findings.push({ code, message, volume: volume.number, ...chunk });
    };
    const wanted = (index: number): boolean => left.has(index);
    try {
      const reading = { file, volume, stream, sequence, chunkBytes, wanted, onDamage: note };
      for await (const { index, bytes } of readVolume(reading)) {
        signal.throwIfAborted();
        left.delete(index);
        onBytes(bytes.length);
      }
    } catch (error) {
      if (!(error instanceof AirgapError) || error.code !== 'VOLUME_FOREIGN') throw error;
      note(error);
    }
    if (left.size === 0) return [];
  }
  return findings.filter(({ chunk }) => chunk === undefined || left.has(chunk - 1));
}
