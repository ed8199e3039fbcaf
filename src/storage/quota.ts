import type { StoreUsage } from './blob-store.ts';

/** How much the store may take, and what it leaves of its disk to others. Shares are 0 to 1. */
export interface Quota {
  /** Of stored and partial content together; undefined: the disk alone bounds it. */
  readonly maxBytes?: number | undefined;
  /** Past this share of `maxBytes` content is evicted, */
  readonly highMark: number;
  /** down to this one. */
  readonly lowMark: number;
  /** Of what is free and what the store takes, so much should be free, in bytes and in files; */
  readonly minFree: number;
  /** when it is less, this much is made free. */
  readonly enoughFree: number;
}

export const usualMarks = {
  highMark: 0.95,
  lowMark: 0.85,
  minFree: 0.05,
  enoughFree: 0.1,
} as const satisfies Quota;

/** What is still to be taken away, and why; nothing of it is left once none is above 0. */
export interface Need {
  quotaBytes: number;
  diskBytes: number;
  files: number;
}

/**
 * Content under way is in its part file as far as it has come, and reserved in full: the greater
 * of both is what it will have taken.
 */
export function usedBytes({ blobs, partial }: StoreUsage, reservedBytes: number): number {
  return blobs.bytes + Math.max(partial.bytes, reservedBytes);
}

export function needOf(usage: StoreUsage, quota: Quota, reservedBytes: number): Need {
  const { maxBytes = Infinity, highMark, lowMark } = quota;
  const used = usedBytes(usage, reservedBytes);
  const isOver = used > maxBytes * highMark;
  const { free, reserve, blobs, partial } = usage;
  // What is reserved is free still, and will not be.
  const comingBytes = Math.max(0, reservedBytes - partial.bytes);
  return {
    quotaBytes: isOver ? used - maxBytes * lowMark : 0,
    diskBytes:
      free === undefined ? 0 : lackOf(free.bytes - comingBytes, used, reserve?.bytes, quota),
    files:
      free === undefined
        ? 0
        : lackOf(free.files, blobs.files + partial.files, reserve?.files, quota),
  };
}

/**
 * A share of what there is for us, so that the marks fit every disk, also one full of others'
 * files; and no less than the store leaves free, or it would wait for room that nobody makes.
 */
function lackOf(free: number, taken: number, reserve = 0, { minFree, enoughFree }: Quota): number {
  const whole = free + taken;
  // Where all of ours would not make that room, to lose it would help nobody.
  const least = Math.max(whole * minFree, reserve < whole ? reserve : 0);
  if (!Number.isFinite(whole) || free >= least) return 0;
  return least + whole * (enoughFree - minFree) - free;
}

export function isMet({ quotaBytes, diskBytes, files }: Need): boolean {
  return quotaBytes <= 0 && diskBytes <= 0 && files <= 0;
}

export function reasonOf({ quotaBytes, diskBytes }: Need): 'quota' | 'disk' | 'inodes' {
  if (quotaBytes > 0) return 'quota';
  return diskBytes > 0 ? 'disk' : 'inodes';
}

/** One file less. */
export function reduce(need: Need, bytes: number): void {
  need.quotaBytes -= bytes;
  need.diskBytes -= bytes;
  need.files -= 1;
}
