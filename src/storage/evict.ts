import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore, StoreUsage } from './blob-store.ts';
import { evictionOrder, type GroupOf } from './eviction-order.ts';
import { isMet, needOf, type Quota, reasonOf, reduce, usedBytes } from './quota.ts';

/** Keeps the store within its quota, and room on its disk. Upstream's deletions never reach it. */
export interface Evictor {
  /**
   * Takes content away if a high mark is passed, down to the low one. One pass at a time: whoever
   * asks during one gets its outcome. Rejects with the store's errors.
   */
  run(): Promise<Evicted>;
  /**
   * Room for content that is about to come, if need be by taking other content away, for which
   * it waits a moment. Undefined: it is not to be stored.
   */
  reserve(bytes: number): Promise<Reservation | undefined>;
  /** Ends the pass under way. */
  close(): Promise<void>;
}

export interface Evicted {
  readonly files: number;
  readonly bytes: number;
}

/** Counts until it is released: when the content is stored, or given up. */
export interface Reservation {
  release(): void;
}

export interface EvictorDependencies {
  readonly store: Pick<BlobStore, 'list' | 'stat' | 'remove' | 'usage'>;
  readonly quota: Quota;
  readonly groupOf: GroupOf;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly maxCandidates?: number;
  /** How long content that has no room waits for some; 1 s unless told. */
  readonly maxWaitMs?: number;
}

/** The usage is believed for so long while many fills begin. */
const believedMs = 1_000;
/** How often the files are counted, where no pass has done so. */
const recountMs = 60 * 60_000;

export function makeEvictor(dependencies: EvictorDependencies): Evictor {
  const { store, quota, clock, log, maxWaitMs = 1_000 } = dependencies;
  const stopped = new AbortController();
  let reservedBytes = 0;
  /** The store counts at its first measurement. */
  let countedMs = clock.monotonicMs();
  let running: Promise<Evicted> | undefined;
  let measured: { readonly usage: StoreUsage; readonly atMs: number } | undefined;

  const measure = async (count?: 'anew'): Promise<StoreUsage> => {
    const usage = await store.usage(count);
    measured = { usage, atMs: clock.monotonicMs() };
    return usage;
  };
  const usageOfLate = async (): Promise<StoreUsage> => {
    if (measured !== undefined && clock.monotonicMs() - measured.atMs < believedMs) {
      return measured.usage;
    }
    return measure();
  };
  const isPassDue = async (): Promise<boolean> => {
    const nowMs = clock.monotonicMs();
    const isOld = nowMs - countedMs >= recountMs;
    const usage = await measure(isOld ? 'anew' : undefined);
    if (isOld) countedMs = nowMs;
    return !isMet(needOf(usage, quota, reservedBytes));
  };
  const pass = async (): Promise<Evicted> => {
    const evicted = { files: 0, bytes: 0 };
    if (!(await isPassDue())) return evicted;
    // Others may have removed much meanwhile: nothing goes before the files were counted.
    const need = needOf(await measure('anew'), quota, reservedBytes);
    for (let before = -1; !isMet(need) && evicted.files > before;) {
      before = evicted.files;
      await takeRound(dependencies, need, evicted, stopped.signal);
    }
    measured = undefined;
    if (evicted.files > 0 || !isMet(need)) {
      const says = isMet(need) ? 'content was evicted' : 'there is too little left to evict';
      log[isMet(need) ? 'info' : 'warn'](evicted, says);
    }
    return evicted;
  };
  const run = (): Promise<Evicted> => {
    running ??= pass().finally(() => {
      running = undefined;
    });
    return running;
  };
  const runUnattended = (): Promise<unknown> =>
    run().catch((error: unknown) => {
      if (stopped.signal.aborted) return;
      log.warn({ because: messageOf(error) }, 'content could not be evicted');
    });

  return {
    run,
    async reserve(bytes) {
      const { maxBytes = Infinity, highMark } = quota;
      reservedBytes += bytes;
      let isHeld = true;
      const release = (): void => {
        if (!isHeld) return;
        isHeld = false;
        reservedBytes -= bytes;
        // What was stored meanwhile is in no earlier measurement.
        measured = undefined;
      };
      const isWithin = async (bound: number): Promise<boolean> =>
        usedBytes(await usageOfLate(), reservedBytes) <= bound;
      try {
        if (bytes <= maxBytes) {
          if (await isWithin(maxBytes * highMark)) return { release };
          const ended = runUnattended();
          if (await isWithin(maxBytes)) return { release };
          await Promise.race([ended, delay(maxWaitMs, undefined, { ref: false })]);
          if (await isWithin(maxBytes)) return { release };
        }
      } catch (error) {
        release();
        throw error;
      }
      release();
      return undefined;
    },
    async close() {
      stopped.abort();
      await running?.catch(() => undefined);
    },
  };
}

/** Takes groups, the oldest first, until the need is met. */
async function takeRound(
  dependencies: EvictorDependencies,
  need: ReturnType<typeof needOf>,
  evicted: { files: number; bytes: number },
  signal: AbortSignal,
): Promise<void> {
  const { store, metrics } = dependencies;
  for await (const group of evictionOrder(dependencies, signal)) {
    const reason = reasonOf(need);
    for (const { digest, size } of group) {
      signal.throwIfAborted();
      // Gone already is as good: another process on the same store has the same need.
      const isOurs = await store.remove(digest);
      reduce(need, size);
      if (!isOurs) continue;
      evicted.files += 1;
      evicted.bytes += size;
      metrics.count('assay_evicted_files_total', { reason });
      metrics.count('assay_evicted_bytes_total', { reason }, size);
    }
    if (isMet(need)) return;
  }
}
