import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { algorithms, syncFolder } from '../storage/store-folder.ts';
import { AirgapError } from './airgap-error.ts';
import { readBlobRecords } from './blob-index.ts';
import type { BundleDocument, VolumeList } from './bundle.ts';
import { type HeldBlobs, makeHeldBlobs } from './held-blobs.ts';
import { intoStore } from './file-failure.ts';
import { openImportJournal } from './import-journal.ts';
import { type ImportPlan, planImport } from './import-plan.ts';
import type { ImportProgress } from './import-report.ts';
import { readVolumes } from './import-volumes.ts';
import { openNeedList } from './need-list.ts';
import { makePartWriter, type PartWriter } from './part-writer.ts';
import type { StoreFiles } from './store-files.ts';

/** A bundle whose metadata were verified. */
export interface ContentOfBundle {
  readonly document: BundleDocument;
  /** Of its snapshot metadata. */
  readonly snapshot: Digest;
  readonly volumes: VolumeList;
  /** Writes `blobs.idx`, as the metadata vouch for it, into a file. */
  readonly copyIndex: (into: string) => Promise<void>;
  /** Where its volumes may lie. */
  readonly places: readonly string[];
}

interface ContentDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly onProgress: (progress: ImportProgress) => void;
}

/** Room for plans, folders and what the file system takes for itself. Bytes. */
const spareBytes = 8 * 1024 * 1024;
const blockBytes = 4096;

/**
 * Brings all of a bundle's content into the store, under no name but its digests. What was read
 * stays, whatever is thrown: `AirgapError`, of which BLOB_MISSING and NO_SPACE come before any
 * volume is read.
 */
export async function takeContent(
  bundle: ContentOfBundle,
  dependencies: ContentDependencies,
  signal: AbortSignal,
): Promise<Pick<ImportPlan, 'neededBytes' | 'heldBytes'>> {
  const { store, files, onProgress } = dependencies;
  const { work, folder } = store;
  const journal = await openImportJournal(store, bundle.snapshot, files);
  if (journal.isNew) await rm(work.root, { recursive: true, force: true });
  await files.mkdir(work.parts, { recursive: true, mode: 0o700 });
  const held = makeHeldBlobs({ folder, files, clock: dependencies.clock });
  onProgress({ step: 'index', doneBytes: 0, totalBytes: 0 });
  await bundle.copyIndex(work.index);
  const plan = await plannedWith(bundle, held, journal.done, dependencies);
  await checkSpace(plan, store, files);
  const writer = makePartWriter({ work, folder, held, files });
  const progress = { step: 'volumes' as const, doneBytes: 0, totalBytes: plan.neededBytes };
  const onBytes = (bytes: number): void => {
    progress.doneBytes += bytes;
    onProgress(progress);
  };
  const { places } = bundle;
  try {
    const reading = { work, folder, files, journal, writer, places, onBytes };
    await readVolumes(plan, bundle.volumes, bundle.document, reading, signal);
    await completeParts(plan, { ...dependencies, writer }, () => journal.forget());
  } finally {
    await writer.close();
  }
  return plan;
}

async function plannedWith(
  { document, volumes }: ContentOfBundle,
  held: HeldBlobs,
  done: ReadonlySet<number>,
  { store, files }: ContentDependencies,
): Promise<ImportPlan> {
  const need = openNeedList(store, document, files);
  const index = createReadStream(store.work.index, { highWaterMark: 256 * 1024 });
  const records = readBlobRecords(index, volumes);
  const onMissing = need.add;
  const { work, folder } = store;
  const plan = await planImport(records, { work, folder, held, done, files, onMissing });
  await need.end();
  const { count, first } = plan.missing;
  if (count === 0) return plan;
  const named = first.slice(0, 3).map(({ digest }) => digest);
  const more = count > named.length ? ` and ${count - named.length} more` : '';
  throw new AirgapError(
    'BLOB_MISSING',
    `the bundle takes content to be here that is not: ${named.join(', ')}${more};` +
      ` ${store.need} lists what is needed: bring a bundle that builds upon an earlier one` +
      ' (--since), or upon none',
  );
}

/** What the plan needs, to the block, and what is there. */
async function checkSpace(
  { neededBytes, volumes }: ImportPlan,
  { root }: StoreFiles,
  files: FileSystem,
): Promise<void> {
  if (volumes.length === 0) return;
  const { bavail, bsize } = await files.statfs(root);
  const needed = Math.ceil(neededBytes / blockBytes) * blockBytes + spareBytes;
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new AirgapError(
    'NO_SPACE',
    `${root} has ${free} bytes left, and the bundle brings ${neededBytes} that are not here, which` +
      ` need ${spareBytes} of room to work in: free ${needed - free} more`,
  );
}

/** Those that lie in several volumes, and those without a byte. */
async function completeParts(
  { spanning, empty }: ImportPlan,
  { store, files, writer }: ContentDependencies & { readonly writer: PartWriter },
  forget: () => Promise<void>,
): Promise<void> {
  const { work, folder } = store;
  for (const digest of empty) {
    const part = work.part(digest);
    await intoStore(part, () => files.writeFile(part, '', { mode: 0o600 }));
    await writer.complete({ digest, size: 0 });
  }
  try {
    for (const content of spanning) await writer.complete(content);
  } catch (error) {
    // Whatever came of it has to come again.
    await forget();
    throw error;
  }
  for (const algorithm of algorithms) await syncFolder(folder.blobs(algorithm), files);
}
