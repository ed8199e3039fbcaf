import { join } from 'node:path';
import type { Seal } from '../gate/sealed.ts';
import type { Clock } from '../kernel/clock.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { type Collected, collectStore } from './collect-store.ts';
import { writeAudit } from './audit-log.ts';
import type { BundleDenial, BundleDocument } from './bundle.ts';
import { importAlone } from './import-alone.ts';
import { noteRefusal } from './import-notes.ts';
import { type ContentOfBundle, takeContent } from './import-content.ts';
import { checkOrder, checkTime } from './import-order.ts';
import {
  type ImageOutcome,
  type ImportProgress,
  type ImportReport,
  isAdmitted,
} from './import-report.ts';
import type { StagedGeneration } from './generation.ts';
import { prepareGeneration } from './import-generation.ts';
import { isRecovered, remember, rememberRoot } from './import-memory.ts';
import { heldName } from './kept-content.ts';
import { followTags } from './import-tags.ts';
import type { TrustedMetadata } from './metadata-state.ts';
import { publish, settlePublished } from './publish.ts';
import { type Published, readPublished } from './published.ts';
import { openReceiptKey } from './receipt.ts';
import type { StoreFiles } from './store-files.ts';
import { makeStoreStates, type StoreState, type StoreStates } from './store-state.ts';
import { writeReceipt } from './write-receipt.ts';

/** What is to be imported, and how. */
export interface ImportRequest {
  /** `verify-only`: everything but publishing; what was read stays. */
  readonly mode: 'import' | 'verify-only';
  /** What becomes of the others where an image is not admitted here. */
  readonly untrusted: 'refuse-all' | 'keep-trusted';
}

/** A bundle whose metadata were verified. */
export interface VerifiedBundle extends ContentOfBundle {
  /** What is to be trusted from now on. */
  readonly metadata: TrustedMetadata;
  /** Keys were rotated so that versions seen before do not count. */
  readonly recovered: boolean;
  /** Writes a file of carried trust material, as the metadata vouch for it. */
  readonly copyTrust: (path: string, into: string) => Promise<void>;
}

export interface ImportDependencies {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly seal: Seal;
  readonly clock: Clock;
  /** How many generations stay, with the one in force; see `collectStore`. */
  readonly keptGenerations: number;
  /** Verifies the metadata against what is known; undefined: against the pinned root. */
  readonly openBundle: (known: StoreState | undefined, now: Date) => Promise<VerifiedBundle>;
  /** Takes them to the site's deny list; resolves with how many were not on it. */
  readonly deny: (denials: readonly BundleDenial[], document: BundleDocument) => Promise<number>;
  /** Looks whether the site has all that it verifies images by; throws before content is read. */
  readonly checkReady: () => Promise<void>;
  /** What the site's own policy, trust and clock say of each image, in their order. */
  readonly verifyImages: (
    document: BundleDocument,
    now: () => Date,
    signal: AbortSignal,
  ) => Promise<readonly ImageOutcome[]>;
  /**
   * Looks whether revocation data in a folder can be read, and says how old the oldest says that it
   * is; undefined where there are none. Throws `AirgapError`, TRUST_FILE_MALFORMED.
   */
  readonly readRevocation: (folder: string) => Promise<Date | undefined>;
  readonly onProgress: (progress: ImportProgress) => void;
}

/**
 * Imports a bundle into a zone's store, or goes on with an import that was stopped at any point.
 * Throws `AirgapError`, and publishes nothing then.
 */
export async function importBundle(
  request: ImportRequest,
  dependencies: ImportDependencies,
  signal: AbortSignal,
): Promise<ImportReport> {
  return await importAlone(dependencies, () => importHere(request, dependencies, signal));
}

/** What the store has, and what it is to have. */
interface Run {
  readonly request: ImportRequest;
  readonly states: StoreStates;
  readonly state: StoreState | undefined;
  readonly published: Published | undefined;
  readonly bundle: VerifiedBundle;
  readonly order: 'new' | 'same';
  readonly tags: StoreState['tags'];
  /** The clock, where it does not go back behind what was signed or seen. */
  readonly now: () => Date;
}

async function importHere(
  request: ImportRequest,
  dependencies: ImportDependencies,
  signal: AbortSignal,
): Promise<ImportReport> {
  const run = await begin(request, dependencies);
  const { bundle, published } = run;
  const { document, snapshot } = bundle;
  const isInForce = published?.snapshot === snapshot;
  if (isInForce && published.leftOut === 0) return hold(run, published, dependencies);
  // Whatever keeps the rest from being imported, what is revoked is denied.
  const denied =
    request.mode === 'import' ? await dependencies.deny(document.denials, document) : 0;
  // What is revoked needs no policy.
  if (document.kind === 'content') await dependencies.checkReady();
  const taken = await takeContent(bundle, dependencies, signal);
  const amounts = { denied, readBytes: taken.neededBytes, heldBytes: taken.heldBytes };
  const { images, staged, revocationAsOf } = await prepareGeneration(run, dependencies, signal);
  const leftOut = images.filter((image) => !isAdmitted(image)).length;
  const part = { images, ...amounts };
  if (leftOut > 0 && request.untrusted === 'refuse-all') {
    const { stream, sequence } = document;
    await noteRefusal({ stream, sequence, snapshot }, images, dependencies);
    return tell('refused', run, part);
  }
  if (request.mode === 'verify-only') return tell('verified', run, part);
  const generation = await staged(images);
  if (isInForce && published.document === generation.document) {
    return { ...(await hold(run, published, dependencies)), ...part };
  }
  const { count: stateCount } = await remember(run);
  const next = describe(run, generation, { leftOut, revocationAsOf, stateCount });
  await publish(next, indexFor(run, dependencies), dependencies);
  const settled = await settle(next, dependencies);
  return { ...tell('published', run, part), generation: next.generation, ...settled };
}

async function begin(request: ImportRequest, dependencies: ImportDependencies): Promise<Run> {
  const { store, files, seal, clock, openBundle, onProgress } = dependencies;
  const states = makeStoreStates(store, seal, files);
  const [known, published] = [await states.read(), await readPublished(store, seal, files)];
  if ((published?.stateCount ?? 0) > (known?.count ?? 0)) {
    const message = `${store.root} knows less of its stream than it did: its state was set back`;
    throw new AirgapError('STORE_DAMAGED', message);
  }
  const latestMs = known?.latestMs ?? 0;
  const at = (leastMs: number): Date => new Date(Math.max(clock.now().getTime(), leastMs));
  onProgress({ step: 'metadata', doneBytes: 0, totalBytes: 0 });
  const bundle = await openBundle(known, at(latestMs));
  const state = request.mode === 'import' ? await rememberRoot(states, known, bundle) : known;
  const { document } = bundle;
  checkTime(document, at(latestMs));
  const order = checkOrder({ ...bundle, recovered: isRecovered(bundle, known) }, state);
  const now = (): Date => at(Math.max(latestMs, document.created.getTime()));
  const tags = followTags(document, state?.tags ?? {}, now());
  return { request, states, state, published, bundle, order, tags, now };
}

/** Revocations come without content: it is that of the generation before. */
function indexFor({ bundle, published }: Run, { store }: ImportDependencies): string {
  const isContent = bundle.document.kind === 'content' || published === undefined;
  return isContent ? store.work.index : join(store.generation(published.generation), heldName);
}

/** What came to light on the way. */
interface PublishedFacts extends Pick<Published, 'leftOut' | 'stateCount'> {
  readonly revocationAsOf: Date | undefined;
}

function describe(
  { published, bundle, now }: Run,
  { upstreams, images, document: digest, layouts }: StagedGeneration,
  { leftOut, revocationAsOf, stateCount }: PublishedFacts,
): Published {
  const { document, snapshot } = bundle;
  const { stream, sequence } = document;
  const asOf = knownAsOf(document, revocationAsOf, published);
  return {
    generation: (published?.generation ?? 0) + 1,
    stream,
    sequence,
    snapshot,
    stateCount,
    created: document.created.toISOString(),
    importedAt: now().toISOString(),
    ...(asOf !== undefined && { revocationAsOf: asOf.toISOString() }),
    upstreams,
    images,
    leftOut,
    document: digest,
    ...(layouts !== undefined && { layouts }),
    trustFiles: document.trust.length,
  };
}

/**
 * The oldest of what the bundle says and what its files say, and no later than it was made; of an
 * emergency that knows nothing of certificates what was known before.
 */
function knownAsOf(
  { kind, created, revocationAsOf: told }: BundleDocument,
  read: Date | undefined,
  published: Published | undefined,
): Date | undefined {
  const times = [told, read].filter((time) => time !== undefined);
  const before = kind === 'revocation' ? published?.revocationAsOf : undefined;
  if (times.length === 0) return before === undefined ? undefined : new Date(before);
  return new Date(Math.min(...[created, ...times].map((time) => time.getTime())));
}

/** It is in force already; what a kill may have left undone is done. */
async function hold(
  run: Run,
  published: Published,
  dependencies: ImportDependencies,
): Promise<ImportReport> {
  const nothing = { images: [], denied: 0, readBytes: 0, heldBytes: 0 };
  const told = { ...tell('held', run, nothing), generation: published.generation };
  if (run.request.mode === 'verify-only') return told;
  const { document } = run.bundle;
  const denied = await dependencies.deny(document.denials, document);
  return { ...told, denied, ...(await settle(published, dependencies)) };
}

/** All that follows from what is published. */
async function settle(
  published: Published,
  dependencies: ImportDependencies,
): Promise<{ readonly receipt: string; readonly freed: Collected }> {
  const { store, files, clock } = dependencies;
  const key = await openReceiptKey(store, files);
  const receipt = await writeReceipt(store, files, published, key);
  await settlePublished(published, dependencies);
  const { generation, stream, sequence, snapshot, images, leftOut } = published;
  const line = { event: 'published', generation, stream, sequence, snapshot, images, leftOut };
  await writeAudit(store, clock.now(), { ...line, receipt });
  return { receipt, freed: await collectStore(published, dependencies) };
}

type Part = Pick<ImportReport, 'images' | 'denied' | 'readBytes' | 'heldBytes'>;

function tell(outcome: ImportReport['outcome'], { bundle, now }: Run, part: Part): ImportReport {
  const { stream, sequence, kind, created, revocationAsOf } = bundle.document;
  const age = revocationAsOf && now().getTime() - revocationAsOf.getTime();
  return {
    outcome,
    stream,
    sequence,
    kind,
    snapshot: bundle.snapshot,
    created,
    generation: undefined,
    ...part,
    revocationAsOf,
    revocationAgeMs: age,
    receipt: undefined,
    freed: undefined,
  };
}
