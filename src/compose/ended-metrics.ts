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
  let isMerging = false;
  const merge = async (): Promise<void> => {
    if (isMerging) return;
    isMerging = true;
    while (ended.length > 1) {
      const parts = ended;
      const merged = await sumOfEnded(parts);
      ended = [merged, ...ended.slice(parts.length)];
    }
    isMerging = false;
  };
  return {
    add(last) {
      ended = [...ended, countsOf(last)];
      void merge();
    },
    all: () => ended,
  };
}
