import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { FileSystem } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';

/**
 * Opens a file of a medium that somebody else prepared: never waits for a pipe or device that has
 * its name. Throws what the system says, and `AirgapError` (READ_FAILED) for what is no file.
 */
export async function openRegular(
  file: string,
  files: Pick<FileSystem, 'open'>,
): Promise<FileHandle> {
  const handle = await files.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw new AirgapError('READ_FAILED', `${file} is no regular file`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}
