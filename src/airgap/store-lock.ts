import { randomHex } from '../kernel/clock.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { dropLock, placeLock, readLock } from '../storage/lock-file.ts';
import { readOwnIdentity } from '../storage/process-identity.ts';
import { AirgapError } from './airgap-error.ts';
import type { StoreFiles } from './store-files.ts';

const maxTries = 3;

/**
 * Keeps every other import from the store until the returned function is called; a process that
 * died keeps nobody. Servers read beside it. Throws `AirgapError` (STORE_BUSY).
 */
export async function lockStore(
  { lock, folder, root }: StoreFiles,
  files: FileSystem,
): Promise<() => Promise<void>> {
  const dependencies = { folder, files, own: await readOwnIdentity(files) };
  const owner = randomHex(8);
  for (let tries = 0; tries < maxTries; tries += 1) {
    if (await placeLock(lock, owner, dependencies)) {
      return () => dropLock(lock, owner, dependencies);
    }
    const found = await readLock(lock, dependencies);
    if (found?.isDead === false) break;
    if (found !== undefined) await dropLock(lock, found.owner, dependencies);
  }
  throw new AirgapError('STORE_BUSY', `another import is at work on ${root}: wait until it ends`);
}
