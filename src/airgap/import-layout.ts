import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Seal } from '../gate/sealed.ts';
import { scopeOf } from '../oci/repository.ts';
import { AirgapError } from './airgap-error.ts';
import { writeAudit } from './audit-log.ts';
import type { BundleDocument, BundleImage } from './bundle.ts';
import { type Collected, collectStore } from './collect-store.ts';
import { type StagedGeneration, writeGeneration } from './generation.ts';
import type { ImportRequest } from './import-bundle.ts';
import { importAlone } from './import-alone.ts';
import { noteRefusal } from './import-notes.ts';
import { intoStore } from './file-failure.ts';
import { type ImageOutcome, isAdmitted } from './import-report.ts';
import { heldName } from './kept-content.ts';
import { type LayoutContentDependencies, removeUnused, takeContents } from './layout-content.ts';
import { outsideOf, readLayoutImages, replaceImages } from './layout-images.ts';
import type { PlannedImage } from './plan.ts';
import { publish, settlePublished } from './publish.ts';
import { type Published, readPublished } from './published.ts';
import { readPublishedDocument } from './published-images.ts';
import type { StoreFiles } from './store-files.ts';
import { makeStoreStates } from './store-state.ts';

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
  /** Of what was published before; undefined where nothing was published. */
  readonly freed: Collected | undefined;
}

export interface LayoutImportDependencies extends LayoutContentDependencies {
  readonly seal: Seal;
  /** How many generations stay, with the one in force; see `collectStore`. */
  readonly keptGenerations: number;
  /** What the layout holds; called while the store is locked. */
  readonly openLayout: (signal: AbortSignal) => Promise<readonly PlannedImage[]>;
  /** Looks whether the site has all that it verifies images by; throws before content is read. */
  readonly checkReady: () => Promise<void>;
  readonly verifyImages: (
    images: Pick<BundleDocument, 'images'>,
    now: () => Date,
    signal: AbortSignal,
  ) => Promise<readonly ImageOutcome[]>;
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
  const { layoutWork: work } = dependencies.store;
  const alone = { ...dependencies, store: { ...dependencies.store, work } };
  return await importAlone(alone, async () => {
    await intoStore(work.root, () =>
      alone.files.mkdir(work.parts, { recursive: true, mode: 0o700 }),
    );
    try {
      return await importHere(request, alone, signal);
    } finally {
      // Before another one begins. What stays is taken away by that.
      await rm(work.root, { recursive: true, force: true }).catch(() => undefined);
    }
  });
}

async function importHere(
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
  await dependencies.checkReady();
  const taken = await takeContents(planned, dependencies, signal);
  await stageTrust(store, published);
  const { work } = store;
  await writeGeneration(work.generation, document, files, replaceImages(before, added));
  const images = await dependencies.verifyImages({ images: added }, now, signal);
  const admitted = added.filter((_, index) => isAdmittedAt(images, index));
  const { readBytes, heldBytes } = taken;
  const amounts = { images, readBytes, heldBytes, freed: undefined };
  const isRefused = admitted.length < added.length && request.untrusted === 'refuse-all';
  if (isRefused || admitted.length === 0) {
    await removeUnused(taken.added, [], dependencies);
    await noteRefusal({ format: 'layout' }, images, dependencies);
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
    // It may have been killed before it did.
    await settlePublished(published, dependencies);
    const freed = await collectStore(published, dependencies);
    return { outcome: 'held', generation: published.generation, ...amounts, freed };
  }
  const next = describe(published, staged, now());
  const freed = await putInForce(next, published, images, dependencies);
  return { outcome: 'published', generation: next.generation, ...amounts, freed };
}

async function putInForce(
  next: Published,
  before: Published | undefined,
  outcomes: readonly ImageOutcome[],
  dependencies: LayoutImportDependencies,
): Promise<Collected> {
  const { store, clock } = dependencies;
  const { generation } = next;
  await publish(next, join(store.generation(before?.generation ?? 0), heldName), dependencies);
  await settlePublished(next, dependencies);
  const admitted = outcomes.filter(isAdmitted).map(({ reference }) => reference);
  const names = admitted.join(' ').slice(0, 4000);
  const line = { event: 'layout', generation, images: admitted.length, names };
  await writeAudit(store, clock.now(), line);
  return await collectStore(next, dependencies);
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
