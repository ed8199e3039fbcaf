import { AggregatorRegistry } from 'prom-client';
import type { MetricsSnapshot } from './metrics.ts';

/**
 * The numbers of several processes as those of one, each by the word of its declaration. A gauge
 * that a process has not set says nothing for it. Of `first` the first process counts.
 */
export function sumMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return merge(snapshots).metrics();
}

/**
 * What remains of a process that ended: what it counted. Without it the sum would go down, which
 * reads as a start anew. How things stood with it is over.
 */
export function countsOf(last: MetricsSnapshot): MetricsSnapshot {
  // prom-client's declaration has an enumeration of numbers; what it sends are these words.
  return last.filter(({ type }) => ['counter', 'histogram'].includes(String(type)));
}

/** The same of several, in one. */
export function sumOfEnded(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  return merge(snapshots.map(countsOf)).getMetricsAsJSON();
}

function merge(snapshots: readonly MetricsSnapshot[]) {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]));
}
