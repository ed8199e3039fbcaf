import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { makeFills } from '../storage/fill-registry.ts';
import type { Fills } from '../storage/fill.ts';
import { openFsBlobStore } from '../storage/fs-blob-store.ts';
import { StartupError } from './startup-error.ts';

/** Blobs of what was admitted, kept on disk. */
export interface Content {
  readonly store: BlobStore;
  readonly fills: Fills;
}

export interface ContentDependencies {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

const measuredEveryMs = 15_000;

/**
 * Opens it under `storage.path`; closed by `opened`, but for the fills, which the caller ends
 * while there still are upstreams. What earlier processes left is tidied up in the background.
 */
export async function openContent(
  config: Config,
  dependencies: ContentDependencies,
  opened: AsyncDisposableStack,
): Promise<Content> {
  const { metrics, log } = dependencies;
  const { path } = config.storage;
  const store = await openFsBlobStore({ path }, dependencies).catch((cause: unknown) => {
    throw new StartupError('STATE_UNUSABLE', messageOf(cause), { cause });
  });
  opened.defer(() => store.close());
  const ending = new AbortController();
  const tidying = tidy(store, log, ending.signal);
  const timer = setInterval(() => void measure(store, metrics), measuredEveryMs).unref();
  const measuring = measure(store, metrics);
  opened.defer(async () => {
    ending.abort();
    clearInterval(timer);
    await tidying;
    await measuring;
  });
  return { store, fills: makeFills(store, { metrics }) };
}

async function tidy(store: BlobStore, log: Log, signal: AbortSignal): Promise<void> {
  try {
    const swept = await store.sweep(signal);
    if (swept.files > 0) log.info({ ...swept }, 'what was left unfinished was removed');
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'what was left unfinished can not be removed');
  }
}

async function measure(store: BlobStore, metrics: Metrics): Promise<void> {
  metrics.set('assay_store_writable', {}, store.health().state === 'writable' ? 1 : 0);
  try {
    const { blobs, partial, free } = await store.usage();
    metrics.set('assay_store_bytes', { kind: 'blobs' }, blobs.bytes);
    metrics.set('assay_store_bytes', { kind: 'partial' }, partial.bytes);
    metrics.set('assay_store_files', { kind: 'blobs' }, blobs.files);
    metrics.set('assay_store_files', { kind: 'partial' }, partial.files);
    if (free === undefined) return;
    metrics.set('assay_store_free_bytes', {}, free.bytes);
    metrics.set('assay_store_free_files', {}, free.files);
  } catch {
    // The store has counted it.
  }
}
