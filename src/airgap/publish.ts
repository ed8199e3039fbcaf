import { rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Seal } from '../gate/sealed.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { syncFolder } from '../storage/store-folder.ts';
import { intoStore } from './file-failure.ts';
import { heldName } from './kept-content.ts';
import { type Published, writePublished } from './published.ts';
import type { StoreFiles } from './store-files.ts';

interface PublishDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly seal: Seal;
}

/**
 * Puts the generation that was prepared into force, in one step: readers see the former one or
 * this. Killed at any point, it is done again. `index` is that of the bundle in it, if it is there.
 */
export async function publish(
  next: Published,
  index: string,
  { store, files, seal }: PublishDependencies,
): Promise<void> {
  const { generation } = next;
  await intoStore(store.root, async () => {
    await unlessAbsent(files.link(index, join(store.work.generation, heldName)));
    await syncFolder(store.work.generation, files);
    await moveOver(store.work.generation, store.generation(generation), files);
    await moveOver(store.work.trust, store.trust(generation), files);
  });
  await writePublished(store, seal, files, next);
}

/** What follows from what is published, and may be missing of it after a kill. */
export async function settlePublished(
  { generation }: Pick<Published, 'generation'>,
  { store, files }: Omit<PublishDependencies, 'seal'>,
): Promise<void> {
  const { currentTrust } = store;
  await intoStore(currentTrust, async () => {
    const target = await unlessAbsent(files.readlink(currentTrust));
    if (target !== String(generation)) {
      const draft = `${currentTrust}.next`;
      await rm(draft, { force: true });
      await symlink(String(generation), draft);
      await files.rename(draft, currentTrust);
      await syncFolder(dirname(currentTrust), files);
    }
    // A layout may come between two discs of a bundle.
    if (store.work === store.bundleWork) await unlessAbsent(files.unlink(store.journal));
    await rm(store.work.root, { recursive: true, force: true });
  });
}

async function moveOver(from: string, to: string, files: FileSystem): Promise<void> {
  // Left behind by one that was killed before it was in force.
  await rm(to, { recursive: true, force: true });
  await files.rename(from, to);
  await syncFolder(dirname(to), files);
}
