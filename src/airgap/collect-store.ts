import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { parseDigest } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { algorithms, syncFolder } from '../storage/store-folder.ts';
import type { DigestBits } from './digest-bits.ts';
import { blobNames } from './held-names.ts';
import { readKeptContent } from './kept-content.ts';
import type { Published } from './published.ts';
import type { StoreFiles } from './store-files.ts';

/** What was taken away, because nothing that is kept names it. */
export interface Collected {
  readonly generations: number;
  readonly blobs: number;
  /** Of the blobs. */
  readonly bytes: number;
  /** Why not all of it was; what is in force is not touched by that. */
  readonly because?: string;
}

export interface CollectDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly clock: Pick<Clock, 'now'>;
  /** How many generations stay, with the one in force. At least 2: an answer may be under way. */
  readonly keptGenerations: number;
}

/** A server may not have looked again yet, and whoever asked it reads on. */
const graceMs = 10 * 60_000;

/**
 * Takes away old generations, and then the content that no other names. To be called by whoever has
 * the store to himself, once nothing of the work of an import is left. Killed at any point, the next
 * one ends it: generations go first, by a rename that lasts, so that none is ever kept whose content
 * is gone. A blob that somebody reads stays readable to him. Never throws.
 */
export async function collectStore(
  published: Published,
  dependencies: CollectDependencies,
): Promise<Collected> {
  const { store } = dependencies;
  const collected = { generations: 0, blobs: 0, bytes: 0 };
  try {
    const { kept, old } = await sortGenerations(published.generation, dependencies);
    const content = await readKeptContent(published, kept, dependencies);
    for (const number of old) await moveAway(number, dependencies);
    collected.generations = old.length;
    await syncParents(dependencies);
    await rm(store.folder.trash, { recursive: true, force: true });
    await collectBlobs(content, collected, dependencies);
    return collected;
  } catch (error) {
    return { ...collected, because: messageOf(error) };
  }
}

async function sortGenerations(
  inForce: number,
  { store, files, clock, keptGenerations }: CollectDependencies,
): Promise<{ readonly kept: readonly number[]; readonly old: readonly number[] }> {
  const folders = await readdir(dirname(store.generation(inForce)));
  const numbers = folders.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  // One that was never in force is of an import that was killed, and is replaced by the next.
  const all = numbers.filter((number) => number <= inForce).toSorted((a, b) => b - a);
  const kept: number[] = [];
  const old: number[] = [];
  for (const [index, number] of all.entries()) {
    const isKept = index < keptGenerations || (await isRecent(all[index - 1], store, files, clock));
    if (number !== inForce) (isKept ? kept : old).push(number);
  }
  return { kept, old };
}

/** Whether it came into force a moment ago, in place of the one before. */
async function isRecent(
  number: number | undefined,
  store: StoreFiles,
  files: FileSystem,
  clock: Pick<Clock, 'now'>,
): Promise<boolean> {
  if (number === undefined) return true;
  const { mtimeMs } = await files.stat(store.generation(number));
  return clock.now().getTime() - mtimeMs < graceMs;
}

async function moveAway(number: number, { store, files }: CollectDependencies): Promise<void> {
  const { trash } = store.folder;
  await files.mkdir(trash, { recursive: true, mode: 0o700 });
  for (const path of [store.trust(number), store.generation(number)]) {
    const away = join(trash, `${basename(dirname(path))}-${number}`);
    await rm(away, { recursive: true, force: true });
    await unlessAbsent(files.rename(path, away));
  }
}

async function syncParents({ store, files }: CollectDependencies): Promise<void> {
  for (const path of [store.trust(1), store.generation(1)]) await syncFolder(dirname(path), files);
}

async function collectBlobs(
  kept: DigestBits,
  collected: { blobs: number; bytes: number },
  { store, files }: CollectDependencies,
): Promise<void> {
  const { folder } = store;
  for (const algorithm of algorithms) {
    for await (const name of blobNames(folder, algorithm, files)) {
      const digest = parseDigest(`${algorithm}:${name}`);
      // What is none of ours is nobody's to take away.
      if (digest === undefined || kept.mayHave(name)) continue;
      const path = folder.blob(digest);
      const found = await unlessAbsent(files.stat(path));
      if (found?.isFile() !== true) continue;
      await unlessAbsent(files.unlink(path));
      collected.blobs += 1;
      collected.bytes += found.size;
    }
  }
}
