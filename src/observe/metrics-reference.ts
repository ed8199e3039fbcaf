import { metricList } from './metric-list.ts';

/** docs/metrics.md: every metric with its kind, labels and meaning. */
export function renderMetricsReference(): string {
  const rows = metricList.map(({ name, kind, labels, help, ...declared }) => {
    const over = 'over' in declared ? declared.over : 'sum';
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${kind} | ${names || '–'} | ${over} | ${help} |`;
  });
  return [
    '# Metrics',
    '',
    'Generated from `src/observe/metric-list.ts` by `npm run golden`; a test fails when it is out of date.',
    '',
    'The admin listener serves them at `GET /metrics` in the Prometheus text format. Histograms are in',
    'seconds.',
    '',
    'Where [`workers`](operations.md#workers) has several processes, one page shows all of them together,',
    'by the word in the column `workers`: the sum, the least, the greatest, or the first one that has a',
    'number, where all count the same. What a process counted stays in the sum when it has ended.',
    '',
    '| metric | kind | labels | workers | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    'Beside these, the usual metrics of the process and the runtime carry the prefix `assay_`: CPU',
    '(`assay_process_cpu_seconds_total`), memory (`assay_process_resident_memory_bytes`,',
    '`assay_nodejs_heap_size_used_bytes`), file descriptors (`assay_process_open_fds`), garbage collection',
    '(`assay_nodejs_gc_duration_seconds`) and the event loop (`assay_nodejs_eventloop_lag_p99_seconds`).',
    'Of several workers they are summed; of event loops the slowest is shown.',
    '',
    '## Worth an alert',
    '',
    '`deploy/prometheus/alerts.yaml` has rules, and [operations](operations.md#what-to-watch) says of each what',
    'it means and what to do.',
    '',
  ].join('\n');
}
