import type { Clock } from '../kernel/clock.ts';

/** How the requests of the last while ended. */
export interface CircuitWindow {
  note(isWell: boolean): 'too many failures' | 'few enough';
  clear(): void;
}

export interface CircuitWindowLimits {
  /** Failures are counted over so long, */
  readonly windowMs: number;
  /** mean something from so many requests on, */
  readonly minRequests: number;
  /** and are too many when they are this share of them (0 to 1). */
  readonly failureShare: number;
}

interface Bucket {
  readonly number: number;
  requests: number;
  failures: number;
}

/** Counted in parts of the window, so that it takes the same memory whatever goes on. */
const parts = 6;

export function makeCircuitWindow(
  clock: Clock,
  { windowMs, minRequests, failureShare }: CircuitWindowLimits,
): CircuitWindow {
  let buckets: Bucket[] = [];
  const current = (): Bucket => {
    const number = Math.floor(clock.monotonicMs() / (windowMs / parts));
    buckets = buckets.filter((bucket) => bucket.number > number - parts);
    const last = buckets.at(-1);
    if (last?.number === number) return last;
    const bucket = { number, requests: 0, failures: 0 };
    buckets.push(bucket);
    return bucket;
  };
  return {
    note(isWell) {
      const bucket = current();
      bucket.requests += 1;
      if (isWell) return 'few enough';
      bucket.failures += 1;
      const requests = buckets.reduce((sum, each) => sum + each.requests, 0);
      const failures = buckets.reduce((sum, each) => sum + each.failures, 0);
      const isTooMany = requests >= minRequests && failures >= requests * failureShare;
      return isTooMany ? 'too many failures' : 'few enough';
    },
    clear() {
      buckets = [];
    },
  };
}
