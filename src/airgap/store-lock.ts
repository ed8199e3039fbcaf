import type { FileSystem } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { holdLock } from './hold-lock.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * Keeps every other import from the store until the returned function is called; a process that
 * died keeps nobody. Servers read beside it. Throws `AirgapError` (STORE_BUSY).
 */
export async function lockStore(
  { lock, folder, root }: StoreFiles,
  files: FileSystem,
): Promise<() => Promise<void>> {
  const release = await holdLock(lock, folder, files);
  if (release !== undefined) return release;
  throw new AirgapError('STORE_BUSY', `another import is at work on ${root}: wait until it ends`);
}
