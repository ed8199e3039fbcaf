import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../kernel/tagged-error.ts';
import { scrubInBackground } from '../storage/background-scrub.ts';
import type { BlobStore, QuarantineBounds } from '../storage/blob-store.ts';
import type { Evictor } from '../storage/evict.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { makePace, type Wait } from '../storage/pace.ts';
import { evictionIntervalMs, scrubEveryMs } from './limits.ts';
import type { Observed } from './verifier.ts';

export interface MaintenanceDependencies extends Observed {
  readonly store: BlobStore;
  readonly evictor: Pick<Evictor, 'run'>;
  /** Where the scrub notes how far it has come. */
  readonly values: KeyValue;
  /** Bytes a second; undefined: nothing is scrubbed. */
  readonly scrubRate: number | undefined;
  /** What is put aside stays within these. */
  readonly quarantine: QuarantineBounds;
  /** The system's timers, unless told. */
  readonly wait?: Wait;
}

/** Keeps no process alive that has nothing else to do. */
const systemWait: Wait = (ms, signal) => delay(ms, undefined, { signal, ref: false });

/**
 * What goes on beside the requests until the signal aborts: tidying up once after the start, the
 * figures of the store, eviction when it must be, the scrub. Never rejects; resolves when all of
 * it has ended.
 */
export async function maintainContent(
  dependencies: MaintenanceDependencies,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    tidy(dependencies, signal),
    keepRoom(dependencies, signal),
    scrubSlowly(dependencies, signal),
  ]);
}

/** Those who wait for the start to be over come first. */
const scrubDelayMs = 60_000;

async function scrubSlowly(
  dependencies: MaintenanceDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { scrubRate, clock, wait = systemWait } = dependencies;
  if (scrubRate === undefined) return;
  await wait(scrubDelayMs, signal).catch(() => undefined);
  const pace = makePace(scrubRate, clock, wait);
  await scrubInBackground({ ...dependencies, pace, wait, everyMs: scrubEveryMs }, signal);
}

async function tidy({ store, log }: MaintenanceDependencies, signal: AbortSignal): Promise<void> {
  try {
    const swept = await store.sweep(signal);
    if (swept.files > 0) log.info({ ...swept }, 'what was left unfinished was removed');
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'what was left unfinished can not be removed');
  }
}

async function keepRoom(dependencies: MaintenanceDependencies, signal: AbortSignal): Promise<void> {
  const { evictor, log, wait = systemWait } = dependencies;
  while (!signal.aborted) {
    await trim(dependencies);
    await measure(dependencies);
    await evictor.run().catch((error: unknown) => {
      if (signal.aborted) return;
      log.warn({ because: messageOf(error) }, 'content could not be evicted');
    });
    await wait(evictionIntervalMs, signal).catch(() => undefined);
  }
}

async function trim({ store, quarantine, log }: MaintenanceDependencies): Promise<void> {
  try {
    const trimmed = await store.trimQuarantine(quarantine);
    if (trimmed.files > 0) log.info({ ...trimmed }, 'old files in quarantine were deleted');
  } catch {
    // The store has counted it.
  }
}

async function measure({ store, metrics }: MaintenanceDependencies): Promise<void> {
  metrics.set('assay_store_writable', {}, store.health().state === 'writable' ? 1 : 0);
  try {
    const { free, blobs, partial, quarantined } = await store.usage();
    for (const [kind, { files, bytes }] of Object.entries({ blobs, partial, quarantined })) {
      metrics.set('assay_store_bytes', { kind }, bytes);
      metrics.set('assay_store_files', { kind }, files);
    }
    if (free === undefined) return;
    metrics.set('assay_store_free_bytes', {}, free.bytes);
    metrics.set('assay_store_free_files', {}, free.files);
  } catch {
    // The store has counted it.
  }
}
