import {
  type Aggregator,
  collectDefaultMetrics,
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  type OpenMetricsContentType,
  type PrometheusContentType,
  type Metric,
  Registry,
} from 'prom-client';
import { type Labels, makeByLabels } from './by-labels.ts';
import { type GaugeName, metricList, type Metrics } from './metric-list.ts';

/** The numbers behind `Metrics`, and their text for Prometheus. */
export interface MetricsRegistry extends Metrics {
  /** Content-Type of what `render` gives. */
  readonly contentType: PrometheusContentType | OpenMetricsContentType;
  /** Prometheus text exposition format 0.0.4. */
  render(): Promise<string>;
  /** All numbers at this moment, for `sumMetrics`. */
  snapshot(): Promise<MetricsSnapshot>;
  /** Drops every labelled value of a gauge, before the ones that hold now are set. */
  forget(name: GaugeName): void;
}

/** The numbers of one process, as another one may be sent them; observe/sum-metrics.ts reads it. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** Seconds: from a warm hit below a millisecond to the 20 s within which every answer begins. */
const secondsBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20,
];

/** A registry of its own, so that two apps in one process (tests) do not count into each other. */
export function makeMetrics(): MetricsRegistry {
  const registry = new Registry();
  const counters = new Map<string, Tally>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Tally>();
  for (const { name, kind, labels, help, ...rest } of metricList) {
    const aggregator: Aggregator = 'over' in rest ? rest.over : 'sum';
    const options = { name, help, aggregator, labelNames: [...labels], registers: [registry] };
    if (kind === 'counter') counters.set(name, makeTally(options));
    else if (kind === 'gauge') gauges.set(name, makeGauge(options));
    else histograms.set(name, makeTimings({ ...options, buckets: secondsBuckets }));
  }
  // Process and runtime: CPU, memory, file descriptors, garbage collection, event-loop lag.
  collectDefaultMetrics({ register: registry, prefix: 'assay_' });
  for (const name of misnamed) registry.removeSingleMetric(`assay_nodejs_${name}`);
  for (const [name, over] of runtimeOver) {
    // Some systems have no such number.
    const metric: (Metric & { aggregator?: Aggregator }) | undefined = registry.getSingleMetric(
      `assay_${name}`,
    );
    if (metric !== undefined) metric.aggregator = over;
  }
  return {
    count: (name, labels, by = 1) => declared(counters, name)(labels, by),
    time: (name, labels, seconds) => declared(histograms, name)(labels, seconds),
    set: (name, labels, value) => declared(gauges, name).set(labels, value),
    forget: (name) => declared(gauges, name).reset(),
    render: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  };
}

/** prom-client's sums over gauges that are there by type too; `_total` is for counters alone. */
const misnamed = ['active_handles_total', 'active_requests_total', 'active_resources_total'];

/** Of several processes the one that is worst off, where prom-client has a mean or nothing. */
const runtimeOver: readonly (readonly [string, Aggregator])[] = [
  ['process_start_time_seconds', 'min'],
  ['process_max_fds', 'min'],
  ...['', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'].map(
    (which) => [`nodejs_eventloop_lag${which}_seconds`, 'max'] as const,
  ),
];

/** One that nobody has set says nothing: its 0 would read as a Redis that is down, or a full disk. */
function makeGauge(options: GaugeConfiguration<string>): Gauge {
  const gauge = new Gauge(options);
  if (options.labelNames?.length === 0) gauge.remove();
  return gauge;
}

type Tally = (labels: Labels, by: number) => void;

/**
 * A counter that is counted up at every request, and handed to prom-client when somebody looks:
 * prom-client sorts and joins the labels at every count.
 */
function makeTally(options: CounterConfiguration<string>): Tally {
  const counts = makeByLabels(options.labelNames ?? [], (labels) => ({ labels, value: 0 }));
  const counter: Counter = new Counter({
    ...options,
    collect() {
      counter.reset();
      for (const { labels, value } of counts.all()) counter.inc(labels, value);
    },
  });
  return (labels, by) => {
    counts.of(labels).value += by;
  };
}

/** Looks each combination of labels up once, which is half of what a measurement costs. */
function makeTimings(options: HistogramConfiguration<string>): Tally {
  const histogram = new Histogram(options);
  const measured = makeByLabels(options.labelNames ?? [], (labels) => histogram.labels(labels));
  return (labels, seconds) => measured.of(labels).observe(seconds);
}

function declared<T>(family: ReadonlyMap<string, T>, name: string): T {
  const metric = family.get(name);
  if (metric === undefined) throw new TypeError(`metric ${name} is not in the list`);
  return metric;
}
