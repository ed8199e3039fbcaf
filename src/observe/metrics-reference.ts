import { metricList } from './metric-list.ts';

const alerts = [
  {
    expression: 'assay_trust_anchor_expiry_timestamp_seconds - time() < 30 * 86400',
    means:
      'a trust anchor ends within 30 days. Put the next one beside it now ([how](trust.md)): ' +
      'what only the old one vouches for is refused after its end.',
  },
  {
    expression: 'increase(assay_reload_failures_total[15m]) > 0',
    means: 'a changed policy or trust store does not load; an older one is in force.',
  },
  {
    expression: 'increase(assay_plugin_runs_total{outcome!~"answered|cancelled"}[15m]) > 0',
    means:
      'a verification plugin finds nothing out; `PLUGIN_CHANGED` means that its file was replaced.',
  },
  {
    expression: 'time() - assay_deny_list_synced_timestamp_seconds > 30',
    means:
      'a replica does not see the shared [deny list](deny.md): what is denied elsewhere is not ' +
      'denied there.',
  },
  {
    expression: 'increase(assay_deny_list_republished_total[15m]) > 0',
    means: 'the shared deny list was emptied, set back or tampered with; it was published again.',
  },
  {
    expression: 'assay_deny_list_unreadable_entries > 0',
    means: 'a replica can not open entries of the deny list: see `state.keys`.',
  },
];

/** docs/metrics.md: every metric with its kind, labels and meaning. */
export function renderMetricsReference(): string {
  const rows = metricList.map(({ name, kind, labels, help }) => {
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${kind} | ${names || '–'} | ${help} |`;
  });
  return [
    '# Metrics',
    '',
    'Generated from `src/observe/metric-list.ts` by `npm run golden`; a test fails when it is out of date.',
    '',
    'The admin listener serves them at `GET /metrics` in the Prometheus text format. Histograms are in',
    'seconds.',
    '',
    '| metric | kind | labels | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    'Beside these, the usual metrics of the process and the runtime carry the prefix `assay_`: CPU',
    '(`assay_process_cpu_seconds_total`), memory (`assay_process_resident_memory_bytes`,',
    '`assay_nodejs_heap_size_used_bytes`), file descriptors (`assay_process_open_fds`), garbage collection',
    '(`assay_nodejs_gc_duration_seconds`) and the event loop (`assay_nodejs_eventloop_lag_p99_seconds`).',
    '',
    '## Worth an alert',
    '',
    ...alerts.flatMap(({ expression, means }) => [`- \`${expression}\`: ${means}`]),
    '',
  ].join('\n');
}
