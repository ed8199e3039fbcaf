import type { MetricsSnapshot } from '../observe/metrics.ts';
import { countsOf, sumOfEnded } from '../observe/sum-metrics.ts';

/** What workers that ended have counted. */
export interface EndedMetrics {
  add(last: MetricsSnapshot): void;
  /** At this moment; one snapshot for each that was not merged yet. */
  all(): readonly MetricsSnapshot[];
}

export function makeEndedMetrics(): EndedMetrics {
  let ended: readonly MetricsSnapshot[] = [];
  let merging: Promise<void> | undefined;
  const merge = async (): Promise<void> => {
    while (ended.length > 1) {
      const parts = ended;
      const merged = await sumOfEnded(parts);
      ended = [merged, ...ended.slice(parts.length)];
    }
    merging = undefined;
  };
  return {
    add(last) {
      ended = [...ended, countsOf(last)];
      merging ??= merge();
    },
    all: () => ended,
  };
}
