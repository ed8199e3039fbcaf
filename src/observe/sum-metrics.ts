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
 * What remains of processes that ended: what they counted. Without it the sum would go down with
 * each of them, which reads as a start anew. How things stood with them is over.
 */
export async function sumOfEnded(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const counted = snapshots.map((snapshot) => snapshot.filter(isCounted));
  return (await merge(counted).getMetricsAsJSON()).filter(isCounted);
}

function isCounted({ type }: MetricsSnapshot[number]): boolean {
  // prom-client's declaration has an enumeration of numbers; what it sends are these words.
  return ['counter', 'histogram'].includes(String(type));
}

function merge(snapshots: readonly MetricsSnapshot[]) {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]));
}
