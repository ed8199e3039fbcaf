import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { algorithms, syncFolder } from '../storage/store-folder.ts';
import { AirgapError } from './airgap-error.ts';
import { hashed } from './export-layout.ts';
import { type HeldBlobs, makeHeldBlobs } from './held-blobs.ts';
import { intoStore } from './file-failure.ts';
import { makePlan, type PlannedContent, type PlannedImage } from './plan.ts';
import type { StoreFiles } from './store-files.ts';

export interface LayoutContentDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly readContent: (content: PlannedContent, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

export interface TakenContent {
  readonly readBytes: number;
  readonly heldBytes: number;
  /** What was not here before. */
  readonly added: readonly Digest[];
}

const spareBytes = 8 * 1024 * 1024;

/** Brings what is not here into the store, hashed. Throws `AirgapError`. */
export async function takeContents(
  planned: readonly PlannedImage[],
  dependencies: LayoutContentDependencies,
  signal: AbortSignal,
): Promise<TakenContent> {
  const { store, files, clock, onProgress } = dependencies;
  const held = makeHeldBlobs({ folder: store.folder, files, clock });
  const missing = await findMissing(planned, held);
  const all = [...makePlan(planned).contents.values()];
  const readBytes = bytesOf(missing);
  const { bavail, bsize } = await files.statfs(store.root);
  if (missing.length > 0 && bavail * bsize < readBytes + spareBytes) {
    const message =
      `${store.root} has ${bavail * bsize} bytes left, and the layout brings ${readBytes}, which` +
      ` need ${spareBytes} of room to work in`;
    throw new AirgapError('NO_SPACE', message);
  }
  let done = 0;
  for (const content of missing) {
    signal.throwIfAborted();
    await takeOne(content, dependencies, (bytes) => onProgress((done += bytes), readBytes), signal);
  }
  for (const algorithm of algorithms) await syncFolder(store.folder.blobs(algorithm), files);
  const added = missing.map(({ digest }) => digest);
  return { readBytes, heldBytes: bytesOf(all) - readBytes, added };
}

function bytesOf(contents: readonly PlannedContent[]): number {
  return contents.reduce((total, { size }) => total + size, 0);
}

async function findMissing(
  planned: readonly PlannedImage[],
  held: HeldBlobs,
): Promise<readonly PlannedContent[]> {
  const missing: PlannedContent[] = [];
  for (const content of makePlan(planned).contents.values()) {
    if (!(await held.isWhole(content))) missing.push(content);
  }
  return missing;
}

async function takeOne(
  content: PlannedContent,
  { store, files, readContent }: LayoutContentDependencies,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const part = store.work.part(content.digest);
  const handle = await intoStore(part, () => files.open(part, 'w', 0o600));
  try {
    for await (const piece of hashed(content, readContent(content, signal))) {
      await intoStore(part, () => handle.writeFile(piece));
      onBytes(piece.byteLength);
    }
    await intoStore(part, () => handle.sync());
  } finally {
    await handle.close();
  }
  await intoStore(part, () => files.rename(part, store.folder.blob(content.digest)));
}

/** What nobody admitted does not stay. */
export async function removeUnused(
  added: readonly Digest[],
  kept: readonly PlannedImage[],
  { store, files }: LayoutContentDependencies,
): Promise<void> {
  const used = makePlan(kept).contents;
  for (const digest of added) {
    if (!used.has(digest)) await unlessAbsent(files.unlink(store.folder.blob(digest)));
  }
}
