import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';

/**
 * A new file in place of what stands there, such as what a run that was killed has left. Whoever
 * prepared the medium may have made that a link to a file of ours: it is not followed.
 */
export async function openNew(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return await open(path, 'wx');
}

/** The same with all that is to be in it, which would survive a power cut. */
export async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  const handle = await openNew(path);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Throws `AirgapError` (FOLDER_OCCUPIED) where a link or file stands in the place of a folder. */
export async function assertFolder(path: string): Promise<void> {
  const found = await unlessAbsent(lstat(path));
  if (found === undefined || found.isDirectory()) return;
  throw new AirgapError('FOLDER_OCCUPIED', `${path} is no folder`);
}
