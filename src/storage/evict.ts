import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { BlobStore } from './blob-store.ts';
import { evictionOrder, type GroupOf } from './eviction-order.ts';
import { isMet, type Need, needOf, type Quota, reasonOf, reduce } from './quota.ts';
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

/** How often the files are counted, where no pass has done so. */
const recountMs = 60 * 60_000;

export function makeEvictor(dependencies: EvictorDependencies): Evictor {
  const { store, quota, clock, log } = dependencies;
  const room = makeRoom(store, clock);
  const stopped = new AbortController();
  let running: Promise<Evicted> | undefined;
  /** The store counts at its first measurement. */
  let countedMs = clock.monotonicMs();

  const isDue = async (): Promise<boolean> => {
    const nowMs = clock.monotonicMs();
    const isOld = nowMs - countedMs >= recountMs;
    const usage = await room.measure(isOld ? 'anew' : undefined);
    if (isOld) countedMs = nowMs;
    return !isMet(needOf(usage, quota, room.reservedBytes));
  };
  const pass = async (): Promise<Evicted> => {
    const evicted = { files: 0, bytes: 0 };
    if (!(await isDue())) return evicted;
    // Others may have removed much meanwhile: nothing goes before the files were counted.
    const need = needOf(await room.measure('anew'), quota, room.reservedBytes);
    for (let before = -1; !isMet(need) && evicted.files > before;) {
      before = evicted.files;
      await takeRound(dependencies, need, evicted, stopped.signal);
    }
    await room.measure();
    if (!isMet(need)) log.warn(evicted, 'there is too little that can be evicted');
    else if (evicted.files > 0) log.info(evicted, 'content was evicted');
    return evicted;
  };
  const run = (): Promise<Evicted> => {
    running ??= pass().finally(() => {
      running = undefined;
    });
    return running;
  };
  const runUnattended = async (): Promise<void> => {
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
  evict: () => Promise<void>,
): Promise<boolean> {
  const { maxBytes = Infinity, highMark } = quota;
  if (bytes > maxBytes) return false;
  if ((await room.usedOfLate()) <= maxBytes * highMark) return true;
  const evicting = evict();
  if ((await room.usedOfLate()) <= maxBytes) return true;
  await Promise.race([evicting, delay(maxWaitMs, undefined, { ref: false })]);
  return (await room.usedOfLate()) <= maxBytes;
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
