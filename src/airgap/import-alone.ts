import type { Clock } from '../kernel/clock.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { namingFull } from './file-failure.ts';
import { noteFailure } from './import-notes.ts';
import { makeStoreFolders, type StoreFiles } from './store-files.ts';
import { lockStore } from './store-lock.ts';
import { sweepStore } from './store-sweep.ts';

interface AloneDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly clock: Clock;
}

/**
 * Does the work of an import while no other is at work on the store, and notes why it failed.
 * Throws `AirgapError` (STORE_BUSY, NO_SPACE), and what the work throws before anything else.
 */
export async function importAlone<T>(
  { store, files, clock }: AloneDependencies,
  work: () => Promise<T>,
): Promise<T> {
  return await namingFull(store.root, async () => {
    await makeStoreFolders(store, files);
    const unlock = await lockStore(store, files);
    let done: T;
    try {
      await sweepStore(store, files, clock);
      done = await work();
    } catch (error) {
      await noteFailure(error, { store, clock });
      // What went wrong before is what is to be told.
      await unlock().catch(() => undefined);
      throw error;
    }
    await unlock();
    return done;
  });
}
