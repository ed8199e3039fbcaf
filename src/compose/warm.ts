import type { Config } from '../config/schema.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { referenceSuffix } from '../oci/reference.ts';
import { scopeOf } from '../oci/repository.ts';
import { makePinoLog } from '../observe/pino-log.ts';
import { eachSettled } from '../verifier/settled.ts';
import { type App, composeApp } from './app.ts';
import { findContent, type FoundContent } from './image-content.ts';
import { type ListedImage, readImageList } from './image-list.ts';
import { describeRefusal, type ImageOutcome, outcomeOf } from './image-outcome.ts';
import { listedImages, type Unlisted } from './listed-images.ts';
import type { Address } from './listen.ts';
import { refreshEndedRoots } from './sigstore-refresh.ts';

/** Brings images into the store, through the gate: without a server, or beside one. */
export interface Warmer {
  /** Throws `ImageListError`. Whatever becomes of an image is in the report. */
  warm(file: string, options: WarmOptions, signal: AbortSignal): Promise<WarmReport>;
  close(): Promise<void>;
}

export interface WarmOptions {
  /** Images at the same time. */
  readonly concurrency: number;
  readonly onProgress: (progress: WarmProgress) => void;
}

/** How far it has come with what is known by now; totals grow as images are looked at. */
export interface WarmProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface WarmReport {
  /** In the order of the list. */
  readonly images: readonly WarmedImage[];
  /** Nobody stopped it. */
  readonly isComplete: boolean;
}

export interface WarmedImage extends ImageOutcome {
  /** Blobs that are in the store now, and how many of their bytes were there before. */
  readonly blobs: number;
  readonly bytes: number;
  readonly bytesAtHand: number;
}

type Counts = Pick<WarmedImage, 'blobs' | 'bytes' | 'bytesAtHand'>;

const blobsAtOnce = 3;
const rootsMs = 20_000;
const noCounts: Counts = { blobs: 0, bytes: 0, bytesAtHand: 0 };

/** Opens the store, the upstreams and the gate by the configuration. Throws `StartupError`. */
export async function openWarmer(config: Config, clock: Clock = systemClock): Promise<Warmer> {
  const log = makePinoLog({ level: 'silent' });
  // A live server beside us is none of the hosts that anybody may send us to.
  const ownListeners = (): readonly Address[] => [config.listen, config.admin];
  const metrics = { count() {}, time() {}, set() {} };
  const observed = { clock, log, metrics, ownListeners };
  await refreshEndedRoots(config, observed, AbortSignal.timeout(rootsMs));
  const app = await composeApp(config, { clock, log, isCommand: true });
  return {
    async warm(file, options, signal) {
      const entries = await readImageList(file, app.upstreamKeys());
      return warmAll(await listedImages(entries, app.gate, signal), options, app, signal);
    },
    close: () => app.close(),
  };
}

async function warmAll(
  images: readonly (ListedImage | Unlisted)[],
  { concurrency, onProgress }: WarmOptions,
  app: App,
  signal: AbortSignal,
): Promise<WarmReport> {
  const progress = { doneBytes: 0, totalBytes: 0 };
  const add = (done: number, total: number): void => {
    progress.doneBytes += done;
    progress.totalBytes += total;
    onProgress(progress);
  };
  const waiting = [...images.entries()];
  const next = () => {
    const [index, image] = waiting.shift() ?? [];
    if (index === undefined || image === undefined) return undefined;
    return async () => [index, await warmOne(image, app, add, signal)] as const;
  };
  const warmed: WarmedImage[] = [];
  for await (const [index, image] of eachSettled(next, concurrency)) warmed[index] = image;
  return { images: warmed, isComplete: !signal.aborted };
}

type Add = (doneBytes: number, totalBytes: number) => void;

async function warmOne(
  image: ListedImage | Unlisted,
  app: App,
  add: Add,
  signal: AbortSignal,
): Promise<WarmedImage> {
  if ('error' in image) {
    const told = describeRefusal(image.error, signal);
    return { reference: image.text, ...told, warnings: [], ...noCounts };
  }
  const { repository, reference: asked } = image;
  const reference = `${scopeOf(repository)}${referenceSuffix(asked)}`;
  let found: FoundContent | undefined;
  try {
    signal.throwIfAborted();
    found = await findContent(image, app.gate, signal);
    const { admission } = found.root;
    const counts = await fetchBlobs(image, found, app, add, signal);
    const { warnings } = admission;
    return { reference, outcome: outcomeOf(admission), ...namesOf(found), warnings, ...counts };
  } catch (error) {
    const warnings = found?.root.admission.warnings ?? [];
    const told = { reference, ...namesOf(found), ...describeRefusal(error, signal), warnings };
    return { ...told, ...noCounts };
  }
}

function namesOf(found: FoundContent | undefined): Pick<WarmedImage, 'digest' | 'verdict'> {
  if (found === undefined) return {};
  const { descriptor, admission } = found.root;
  const { digest } = descriptor;
  return { digest, ...(admission.verdict && { verdict: admission.verdict.id }) };
}

/** Reads each blob to its end, by which it is stored; what is stored is not read again. */
async function fetchBlobs(
  image: ListedImage,
  { blobs }: FoundContent,
  { gate, content }: App,
  add: Add,
  signal: AbortSignal,
): Promise<Counts> {
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  add(0, total);
  let bytesAtHand = 0;
  const failures: unknown[] = [];
  const fetchOne = async (digest: Digest): Promise<void> => {
    const admitted = await gate.admitBlob(image.repository, digest, signal);
    const { size } = admitted.descriptor;
    const stored = await content.store.stat(digest).catch(() => undefined);
    if (stored?.size === size) {
      bytesAtHand += size;
      add(size, 0);
      return;
    }
    const stream = await admitted.open(signal);
    signal.addEventListener('abort', () => stream.destroy(signal.reason as Error), { once: true });
    for await (const piece of stream) add((piece as Uint8Array).byteLength, 0);
  };
  const waiting = [...blobs];
  const next = () => {
    const blob = failures.length > 0 ? undefined : waiting.shift();
    return (
      blob && (() => fetchOne(blob.digest).catch((error: unknown) => void failures.push(error)))
    );
  };
  for await (const _ of eachSettled(next, blobsAtOnce));
  if (failures.length > 0) throw failures[0];
  return { blobs: blobs.length, bytes: total, bytesAtHand };
}
