import type { Clock } from '../kernel/clock.ts';
import type { BlobStore, StoreUsage } from './blob-store.ts';
import { usedBytes } from './quota.ts';

/** What the store takes, and what was promised to content that is about to come. */
export interface Room {
  readonly reservedBytes: number;
  measure(count?: 'anew'): Promise<StoreUsage>;
  /** Bytes taken or promised, measured a moment ago at most: many fills begin at a time. */
  usedOfLate(): Promise<number>;
  promise(bytes: number): Reservation;
}

/** Counts until it is released: when the content is stored, or given up. */
export interface Reservation {
  release(): void;
}

const believedMs = 1_000;

export function makeRoom(store: Pick<BlobStore, 'usage'>, clock: Clock): Room {
  let reservedBytes = 0;
  let last: { readonly usage: StoreUsage; readonly atMs: number } | undefined;
  const measure = async (count?: 'anew'): Promise<StoreUsage> => {
    const usage = await store.usage(count);
    last = { usage, atMs: clock.monotonicMs() };
    return usage;
  };
  return {
    get reservedBytes() {
      return reservedBytes;
    },
    measure,
    async usedOfLate() {
      const isLate = last !== undefined && clock.monotonicMs() - last.atMs < believedMs;
      const usage = isLate && last !== undefined ? last.usage : await measure();
      return usedBytes(usage, reservedBytes);
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
