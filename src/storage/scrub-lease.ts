import { type Clock, randomHex } from '../kernel/clock.ts';
import type { ScrubLease } from './blob-store.ts';
import { unlessAbsent } from './file-system.ts';
import { dropLock, type LockDependencies, placeLock, readLock } from './lock-file.ts';

export interface ScrubLeaseDependencies extends LockDependencies {
  readonly clock: Clock;
  /** Whoever did not renew it for so long has lost it. */
  readonly silentMs: number;
}

const maxTries = 3;

/**
 * The right to scrub, of one process at a time; that of one that died, or of which nothing is
 * heard, is taken over. Two may have it for a moment, until one of them renews: both only read.
 */
export async function takeScrubLease(
  dependencies: ScrubLeaseDependencies,
): Promise<ScrubLease | undefined> {
  const { scrubLock } = dependencies.folder;
  const owner = randomHex(8);
  for (let tries = 0; tries < maxTries; tries += 1) {
    if (await placeLock(scrubLock, owner, dependencies)) {
      return {
        renew: () => renew(owner, dependencies),
        release: () => dropLock(scrubLock, owner, dependencies),
      };
    }
    const found = await readLock(scrubLock, dependencies);
    if (found === undefined) continue;
    if (!found.isDead && !(await isSilent(dependencies))) return undefined;
    await dropLock(scrubLock, found.owner, dependencies);
  }
  return undefined;
}

async function isSilent({
  folder,
  files,
  clock,
  silentMs,
}: ScrubLeaseDependencies): Promise<boolean> {
  const found = await unlessAbsent(files.stat(folder.scrubLock));
  return found !== undefined && clock.now().getTime() - found.mtimeMs > silentMs;
}

async function renew(owner: string, dependencies: ScrubLeaseDependencies): Promise<boolean> {
  const { folder, files, clock } = dependencies;
  const handle = await unlessAbsent(files.open(folder.scrubLock, 'r+'));
  if (handle === undefined) return false;
  try {
    // What is open stays the same file, whoever has put another one into its place since.
    const line = await handle.readFile('utf8');
    if (!line.startsWith(`${owner} `)) return false;
    await handle.utimes(clock.now(), clock.now());
    return true;
  } finally {
    await handle.close();
  }
}
