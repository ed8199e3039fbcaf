import { randomHex } from '../kernel/clock.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { dropLock, placeLock, readLock } from '../storage/lock-file.ts';
import { readOwnIdentity } from '../storage/process-identity.ts';

const maxTries = 3;

/**
 * Names this process in a file until the returned function is called; undefined while another one
 * is named that may be alive. `staging` is a folder of the same file system, for drafts.
 */
export async function holdLock(
  lock: string,
  folder: { readonly staging: string },
  files: FileSystem,
): Promise<(() => Promise<void>) | undefined> {
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
  return undefined;
}
