import type { BundleImage } from '../airgap/bundle.ts';
import { nameOf } from '../airgap/plan.ts';
import { readPublished } from '../airgap/published.ts';
import { readPublishedImages } from '../airgap/published-images.ts';
import { makeStoreFiles } from '../airgap/store-files.ts';
import type { Config } from '../config/schema.ts';
import { makeSeal } from '../gate/sealed.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { makePinoLog } from '../observe/pino-log.ts';
import { systemFiles } from '../storage/file-system.ts';
import { openPushTarget, type PushOptions } from '../upstream/push-target.ts';
import type { RemoteDependencies } from '../upstream/remote-options.ts';
import { type PushCounts, pushImage, type Pushing } from './airgap-publish-image.ts';
import { planPush } from './airgap-publish-plan.ts';
import { type DestinationWish, readDestination } from './airgap-publish-target.ts';
import { composeApp } from './app.ts';
import { describeRefusal, type ImageOutcome } from './image-outcome.ts';
import { StartupError } from './startup-error.ts';
import { openSealKeys } from './state-folder.ts';

export interface PublishOptions extends DestinationWish {
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/** For tests. */
export interface PublishOverrides
  extends Pick<PushOptions, 'limits' | 'chunkBytes'>, Pick<RemoteDependencies, 'wait'> {
  readonly clock?: Clock;
}

/** What became of a publication. */
export interface PublishReport {
  /** The registry, with the prefix. */
  readonly to: string;
  readonly generation: number;
  readonly images: readonly PublishedImage[];
  /** Nobody stopped it. */
  readonly isComplete: boolean;
}

export interface PublishedImage extends ImageOutcome, PushCounts {
  /** Its repository in the registry. */
  readonly target: string | undefined;
}

const noCounts: PushCounts = {
  sentBytes: 0,
  mountedBytes: 0,
  presentBytes: 0,
  manifests: 0,
  evidence: 0,
};

/**
 * Pushes what is published in the zone's store, and what the gate trusts of it at this moment, into
 * a registry. What is there is not sent again. Whatever becomes of an image is in the report. Throws
 * `StartupError` and `AirgapError`.
 */
export async function publishAirgap(
  config: Config,
  { onProgress, ...wish }: PublishOptions,
  signal: AbortSignal,
  { clock = systemClock, wait, ...push }: PublishOverrides = {},
): Promise<PublishReport> {
  const destination = await readDestination(config, wish);
  const { generation, images } = await readInForce(config);
  const opened = new AsyncDisposableStack();
  try {
    const progress = { done: 0, total: 0 };
    const add = (done: number, total: number): void => {
      progress.done += done;
      progress.total += total;
      onProgress(progress.done, Math.max(progress.total, progress.done));
    };
    const log = makePinoLog({ level: 'silent' });
    const app = await composeApp(config, { clock, log, isCommand: true });
    opened.defer(() => app.close());
    const onBytes = (bytes: number): void => add(bytes, 0);
    const target = openPushTarget(
      { ...destination.options, ...push, onSent: onBytes },
      { clock, wait },
    );
    opened.defer(() => target.close());
    const { targetOf } = destination;
    const homes: Pushing['homes'] = new Map();
    const pushing = { target, app, targetOf, homes, onBytes };
    const published: PublishedImage[] = [];
    for (const image of images) {
      published.push(await publishOne(image, pushing, (bytes) => add(0, bytes), signal));
    }
    return { to: destination.url, generation, images: published, isComplete: !signal.aborted };
  } finally {
    await opened.disposeAsync();
  }
}

async function readInForce(config: Config) {
  const root = config.airgap?.store;
  if (root === undefined) {
    const message = 'the configuration has no airgap.store, from which to publish';
    throw new StartupError('CONFIGURATION_MISSING', message);
  }
  const store = makeStoreFiles(root);
  const published = await readPublished(store, makeSeal(await openSealKeys(config)), systemFiles);
  if (published === undefined) {
    throw new StartupError('CONFIGURATION_MISSING', `nothing was imported into ${root} yet`);
  }
  const { generation } = published;
  return {
    generation,
    images: await readPublishedImages(store, published, systemFiles),
  };
}

async function publishOne(
  image: BundleImage,
  pushing: Pushing,
  onPlanned: (bytes: number) => void,
  signal: AbortSignal,
): Promise<PublishedImage> {
  const told = { reference: nameOf(image), digest: image.root.digest };
  const at: { target?: string } = {};
  try {
    signal.throwIfAborted();
    at.target = pushing.targetOf(image.repository);
    const found = await planPush(image, pushing.app, signal);
    const { outcome, warnings, verdict } = found;
    const what = {
      ...told,
      ...(verdict !== undefined && { verdict }),
      target: at.target,
      warnings,
    };
    if (outcome === 'waived') {
      return { ...what, outcome, because: `not trusted: ${warnings.join('; ')}`, ...noCounts };
    }
    const all = [...found.manifests, ...found.evidence].flatMap(({ blobs }) => blobs);
    onPlanned(all.reduce((sum, { size }) => sum + size, 0));
    return { ...what, outcome, ...(await pushImage(image, found, pushing, signal)) };
  } catch (error) {
    const refusal = describeRefusal(error, signal);
    return { ...told, ...refusal, target: at.target, warnings: [], ...noCounts };
  }
}
