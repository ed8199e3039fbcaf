import { airgapMetrics } from './airgap-metrics.ts';
import { gateMetrics } from './gate-metrics.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import { s3Metrics } from './s3-metrics.ts';
import { replicaMetrics } from './replica-metrics.ts';
import { stateMetrics } from './state-metrics.ts';
import { storageMetrics } from './storage-metrics.ts';
import { trustMetrics } from './trust-metrics.ts';
import { upstreamMetrics } from './upstream-metrics.ts';
import { workerMetrics } from './worker-metrics.ts';

/** Every metric, in one list: docs/metrics.md is generated from it. */
export const metricList = [
  ...gateMetrics,
  ...upstreamMetrics,
  ...storageMetrics,
  ...s3Metrics,
  ...stateMetrics,
  ...replicaMetrics,
  ...trustMetrics,
  ...airgapMetrics,
  ...workerMetrics,
] as const satisfies readonly MetricDeclaration[];

type Named<K extends MetricDeclaration['kind']> = Extract<(typeof metricList)[number], { kind: K }>;
export type CounterName = Named<'counter'>['name'];
export type HistogramName = Named<'histogram'>['name'];
export type GaugeName = Named<'gauge'>['name'];
export type LabelsOf<N extends string> = Readonly<
  Record<Extract<(typeof metricList)[number], { name: N }>['labels'][number], string>
>;

/** What the layers count with; observe/metrics.ts keeps the numbers. */
export interface Metrics {
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  time<N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number): void;
  set<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): void;
}
