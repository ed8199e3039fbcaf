import type { Clock } from '../kernel/clock.ts';
import type { BlobStore, StoreUsage } from './blob-store.ts';

/** What the store takes, and what was promised to content that is about to come. */
export interface Room {
  readonly reservedBytes: number;
  /** `anew`, and so once an hour: file by file, which sees what other processes did. */
  measure(count?: 'anew'): Promise<StoreUsage>;
  /** Measured a moment ago at most: many fills begin at a time. */
  usageOfLate(): Promise<StoreUsage>;
  promise(bytes: number): Reservation;
}

/** Counts until it is released: when the content is stored, or given up. */
export interface Reservation {
  release(): void;
}

const believedMs = 1_000;
const recountMs = 60 * 60_000;

export function makeRoom(store: Pick<BlobStore, 'usage'>, clock: Clock): Room {
  let reservedBytes = 0;
  let last: { readonly usage: StoreUsage; readonly atMs: number } | undefined;
  /** The store counts at its first measurement. */
  let countedMs = clock.monotonicMs();
  const measure = async (asked?: 'anew'): Promise<StoreUsage> => {
    const nowMs = clock.monotonicMs();
    const count = nowMs - countedMs >= recountMs ? 'anew' : asked;
    const usage = await store.usage(count);
    if (count === 'anew') countedMs = nowMs;
    last = { usage, atMs: clock.monotonicMs() };
    return usage;
  };
  return {
    get reservedBytes() {
      return reservedBytes;
    },
    measure,
    async usageOfLate() {
      if (last !== undefined && clock.monotonicMs() - last.atMs < believedMs) return last.usage;
      return measure();
    },
    promise(bytes) {
      reservedBytes += bytes;
      let isHeld = true;
      return {
        release() {
          if (!isHeld) return;
          isHeld = false;
          reservedBytes -= bytes;
          // What was stored meanwhile is in no earlier measurement.
          last = undefined;
        },
      };
    },
  };
}
