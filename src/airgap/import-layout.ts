import { cp, mkdir, rm } from 'node:fs/promises';
import type { Seal } from '../gate/sealed.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { scopeOf } from '../oci/repository.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import { algorithms, syncFolder } from '../storage/store-folder.ts';
import { AirgapError } from './airgap-error.ts';
import { writeAudit } from './audit-log.ts';
import type { BundleDocument, BundleImage } from './bundle.ts';
import { hashed } from './export-layout.ts';
import { type StagedGeneration, writeGeneration } from './generation.ts';
import { type HeldBlobs, makeHeldBlobs } from './held-blobs.ts';
import type { ImportRequest } from './import-bundle.ts';
import { intoStore } from './import-failure.ts';
import { type ImageOutcome, isAdmitted } from './import-report.ts';
import { outsideOf, readLayoutImages, replaceImages } from './layout-images.ts';
import { makePlan, type PlannedContent, type PlannedImage } from './plan.ts';
import { publish, settlePublished } from './publish.ts';
import { type Published, readPublished } from './published.ts';
import { readPublishedDocument } from './published-images.ts';
import { makeStoreFolders, type StoreFiles } from './store-files.ts';
import { lockStore } from './store-lock.ts';
import { makeStoreStates } from './store-state.ts';
import { sweepStore } from './store-sweep.ts';

/** What became of a layout that was imported. */
export interface LayoutImportReport {
  /** As of a bundle's import. */
  readonly outcome: 'published' | 'held' | 'verified' | 'refused';
  /** Undefined where nothing is in force by it. */
  readonly generation: number | undefined;
  readonly images: readonly ImageOutcome[];
  /** Bytes of content: read, and here before. */
  readonly readBytes: number;
  readonly heldBytes: number;
}

export interface LayoutImportDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly seal: Seal;
  readonly clock: Clock;
  /** What the layout holds; called while the store is locked. */
  readonly openLayout: (signal: AbortSignal) => Promise<readonly PlannedImage[]>;
  readonly readContent: (content: PlannedContent, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly verifyImages: (
    images: Pick<BundleDocument, 'images'>,
    now: () => Date,
    signal: AbortSignal,
  ) => Promise<readonly ImageOutcome[]>;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Brings the images of a plain image layout into a zone's store, beside what came in bundles. Nobody
 * signed the layout: the site's policy decides on each image, and nothing keeps an older one from
 * taking its place. Throws `AirgapError`, and publishes nothing then.
 */
export async function importLayout(
  request: ImportRequest,
  dependencies: LayoutImportDependencies,
  signal: AbortSignal,
): Promise<LayoutImportReport> {
  const { store, files, clock } = dependencies;
  await makeStoreFolders(store, files);
  const unlock = await lockStore(store, files);
  try {
    await sweepStore(store, files, clock);
    return await importAlone(request, dependencies, signal);
  } finally {
    await unlock();
  }
}

async function importAlone(
  request: ImportRequest,
  dependencies: LayoutImportDependencies,
  signal: AbortSignal,
): Promise<LayoutImportReport> {
  const { store, files, seal, clock } = dependencies;
  const published = await readPublished(store, seal, files);
  const { latestMs = 0 } = (await makeStoreStates(store, seal, files).read()) ?? {};
  const seenMs = Math.max(latestMs, published === undefined ? 0 : Date.parse(published.importedAt));
  const now = (): Date => new Date(Math.max(clock.now().getTime(), seenMs));
  const document = await readPublishedDocument(store, published, files);
  const before = await readLayoutImages(store, published, files);
  const planned = await dependencies.openLayout(signal);
  const added = planned.map(toBundleImage);
  assertFree(document, added);
  const taken = await takeContents(planned, dependencies, signal);
  await stageTrust(store, published);
  const { work } = store;
  await writeGeneration(work.generation, document, files, replaceImages(before, added));
  const images = await dependencies.verifyImages({ images: added }, now, signal);
  const admitted = added.filter((_, index) => isAdmittedAt(images, index));
  const amounts = { images, readBytes: taken.readBytes, heldBytes: taken.heldBytes };
  const isRefused = admitted.length < added.length && request.untrusted === 'refuse-all';
  if (isRefused || admitted.length === 0) {
    await removeUnused(taken.added, [], dependencies);
    return { outcome: 'refused', generation: undefined, ...amounts };
  }
  if (request.mode === 'verify-only') {
    return { outcome: 'verified', generation: undefined, ...amounts };
  }
  const kept = planned.filter((_, index) => isAdmittedAt(images, index));
  await removeUnused(taken.added, kept, dependencies);
  const all = replaceImages(before, admitted);
  const staged = await writeGeneration(work.generation, document, files, all);
  if (published?.layouts !== undefined && published.layouts === staged.layouts) {
    return { outcome: 'held', generation: published.generation, ...amounts };
  }
  const next = describe(published, staged, now());
  await publish(next, dependencies);
  await settlePublished(next, dependencies);
  const { generation } = next;
  const names = images
    .filter(isAdmitted)
    .map(({ reference }) => reference)
    .join(' ')
    .slice(0, 4000);
  await writeAudit(store, clock.now(), {
    event: 'layout',
    generation,
    images: admitted.length,
    names,
  });
  return { outcome: 'published', generation, ...amounts };
}

function isAdmittedAt(images: readonly ImageOutcome[], index: number): boolean {
  const image = images[index];
  return image !== undefined && isAdmitted(image);
}

function toBundleImage({ repository, tag, root, children, evidence }: PlannedImage): BundleImage {
  return {
    repository,
    tag,
    tagVersion: tag === undefined ? undefined : 1,
    root,
    children,
    evidence: evidence.map(({ manifest, tag: under, path }) => ({ manifest, tag: under, path })),
  };
}

/** What came in signed bundles is not to be replaced by what anybody may have written. */
function assertFree(document: BundleDocument | undefined, added: readonly BundleImage[]): void {
  const free = new Set(outsideOf(document?.images ?? [], added));
  const taken = added.find((image) => !free.has(image));
  if (taken === undefined) return;
  const name = scopeOf(taken.repository);
  const message = `${name} is a repository of the bundles here: a layout can add nothing to it`;
  throw new AirgapError('LAYOUT_NAMES', message);
}

interface Taken {
  readonly readBytes: number;
  readonly heldBytes: number;
  /** What was not here before. */
  readonly added: readonly Digest[];
}

const spareBytes = 8 * 1024 * 1024;

async function takeContents(
  planned: readonly PlannedImage[],
  dependencies: LayoutImportDependencies,
  signal: AbortSignal,
): Promise<Taken> {
  const { store, files, clock, onProgress } = dependencies;
  const held = makeHeldBlobs({ folder: store.folder, files, clock });
  const missing = await findMissing(planned, held);
  const all = [...makePlan(planned).contents.values()];
  const readBytes = bytesOf(missing);
  const { bavail, bsize } = await files.statfs(store.root);
  if (missing.length > 0 && bavail * bsize < readBytes + spareBytes) {
    const message = `${store.root} has ${bavail * bsize} bytes left, and the layout brings ${readBytes}`;
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
  { store, files, readContent }: LayoutImportDependencies,
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
async function removeUnused(
  added: readonly Digest[],
  kept: readonly PlannedImage[],
  { store, files }: LayoutImportDependencies,
): Promise<void> {
  const used = makePlan(kept).contents;
  for (const digest of added) {
    if (!used.has(digest)) await unlessAbsent(files.unlink(store.folder.blob(digest)));
  }
}

/** What the last bundle carried stays in force. */
async function stageTrust(store: StoreFiles, published: Published | undefined): Promise<void> {
  const { trust } = store.work;
  await intoStore(trust, async () => {
    await rm(trust, { recursive: true, force: true });
    const from = published === undefined ? undefined : store.trust(published.generation);
    if (from === undefined) await mkdir(trust, { recursive: true, mode: 0o700 });
    else await cp(from, trust, { recursive: true });
  });
}

function describe(
  published: Published | undefined,
  { upstreams, images, document, layouts }: StagedGeneration,
  now: Date,
): Published {
  const at = now.toISOString();
  const base = published ?? {
    stream: '',
    sequence: 0,
    snapshot: document,
    stateCount: 0,
    created: at,
    importedAt: at,
    leftOut: 0,
    document,
    trustFiles: 0,
  };
  const generation = (published?.generation ?? 0) + 1;
  const list = layouts === undefined ? {} : { layouts };
  // A bundle's time stays: this one nobody signed, and a clock that was wrong once must not count on.
  return { ...base, generation, upstreams, images, ...list };
}
