import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore } from './blob-store.ts';
import { evictionOrder, type GroupOf } from './eviction-order.ts';
import { isMet, type Need, needOf, type Quota, reasonOf, reduce, usedBytes } from './quota.ts';
import { makeRoom, type Reservation, type Room } from './room.ts';

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

/** After a pass that did not find enough, content that is to come asks for none so soon. */
const vainPauseMs = 10_000;

export function makeEvictor(dependencies: EvictorDependencies): Evictor {
  const { store, clock, log } = dependencies;
  const room = makeRoom(store, clock);
  const stopped = new AbortController();
  let running: Promise<Evicted> | undefined;
  let isVain = false;
  let endedMs = -Infinity;

  const runOnce = async (): Promise<Evicted> => {
    const { isEnough, ...evicted } = await evict(dependencies, room, stopped.signal);
    const wasVain = isVain;
    isVain = !isEnough;
    endedMs = clock.monotonicMs();
    if (isEnough && evicted.files > 0) log.info(evicted, 'content was evicted');
    // Told once, and not every few seconds for as long as it lasts.
    if (isVain && !wasVain) log.warn(evicted, 'there is too little that can be evicted');
    return evicted;
  };
  const run = (): Promise<Evicted> => {
    running ??= runOnce().finally(() => {
      running = undefined;
    });
    return running;
  };
  const runUnattended = async (): Promise<void> => {
    if (isVain && clock.monotonicMs() - endedMs < vainPauseMs) return;
    await run().catch((error: unknown) => {
      if (stopped.signal.aborted) return;
      log.warn({ because: messageOf(error) }, 'content could not be evicted');
    });
  };
  return {
    run,
    async reserve(bytes) {
      const reservation = room.promise(bytes);
      try {
        if (await hasRoom(bytes, room, dependencies, runUnattended)) return reservation;
      } catch (error) {
        reservation.release();
        throw error;
      }
      reservation.release();
      return undefined;
    },
    async close() {
      stopped.abort();
      await running?.catch(() => undefined);
    },
  };
}

/** Whether what was promised fits. Past the high mark others are taken away, before it is too late. */
async function hasRoom(
  bytes: number,
  room: Room,
  { quota, maxWaitMs = 1_000 }: EvictorDependencies,
  makeSome: () => Promise<void>,
): Promise<boolean> {
  const { maxBytes = Infinity } = quota;
  if (bytes > maxBytes) return false;
  const usage = await room.usageOfLate();
  const need = needOf(usage, quota, room.reservedBytes);
  if (isMet(need)) return true;
  const fits = async (): Promise<boolean> =>
    usedBytes(await room.usageOfLate(), room.reservedBytes) <= maxBytes;
  const evicting = makeSome();
  const isUrgent = need.diskBytes > 0 || need.files > 0;
  if (!isUrgent && (await fits())) return true;
  const deadline = delay(maxWaitMs, undefined, { ref: false });
  await Promise.race([evicting, deadline]);
  if (await fits()) return true;
  // The pass may have been under way before this content was promised room.
  await Promise.race([makeSome(), deadline]);
  return fits();
}

/** Down to the low mark, or as far as it gets. */
async function evict(
  dependencies: EvictorDependencies,
  room: Room,
  signal: AbortSignal,
): Promise<Evicted & { readonly isEnough: boolean }> {
  const { quota } = dependencies;
  const evicted = { files: 0, bytes: 0 };
  if (isMet(needOf(await room.measure(), quota, room.reservedBytes))) {
    return { ...evicted, isEnough: true };
  }
  // Others may have removed much meanwhile: nothing goes before the files were counted.
  const need = needOf(await room.measure('anew'), quota, room.reservedBytes);
  for (let before = -1; !isMet(need) && evicted.files > before;) {
    before = evicted.files;
    await takeRound(dependencies, need, evicted, signal);
  }
  await room.measure();
  return { ...evicted, isEnough: isMet(need) };
}

/** Takes groups, the oldest first, until the need is met. */
async function takeRound(
  dependencies: EvictorDependencies,
  need: Need,
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
