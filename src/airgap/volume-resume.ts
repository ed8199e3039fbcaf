import { join } from 'node:path';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import type { VolumeList } from './bundle.ts';
import { readFailure } from './file-failure.ts';
import { volumeName, type VolumeOwner } from './volume-list.ts';

interface Resumed extends VolumeOwner {
  readonly folder: string;
  readonly volumeBytes: number;
  readonly chunkBytes: number;
  readonly files: FileSystem;
}

/**
 * Throws `AirgapError` unless the volumes to go on behind are full ones of that size, and there.
 * Their bytes are not read: whoever reads the bundle compares them with their hashes.
 */
export async function checkResumed(
  { volumes, chunkBytes }: VolumeList,
  options: Resumed,
): Promise<void> {
  if (chunkBytes !== options.chunkBytes) {
    throw new AirgapError('WRITE_FAILED', 'what is to be resumed has chunks of another size');
  }
  for (const [index, { name, bytes }] of volumes.entries()) {
    const { folder, volumeBytes, files } = options;
    const path = join(folder, volumeName(options, index + 1));
    if (name !== volumeName(options, index + 1) || bytes !== volumeBytes) {
      throw new AirgapError('WRITE_FAILED', `${name} is no volume to go on behind`);
    }
    const stat = await unlessAbsent(files.stat(path)).catch((cause: unknown) => {
      throw readFailure(path, cause);
    });
    if (stat === undefined) throw new AirgapError('VOLUME_MISSING', `${path} is not there`);
    if (stat.size !== bytes) {
      throw new AirgapError('VOLUME_TRUNCATED', `${path} has ${stat.size} bytes, not ${bytes}`);
    }
  }
}
