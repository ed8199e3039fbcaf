import type { MetricDeclaration } from './metric-declaration.ts';

/** What upstreams were asked, and how they answered. */
export const upstreamMetrics = [
  {
    name: 'assay_upstream_requests_total',
    kind: 'counter',
    labels: ['upstream', 'operation', 'outcome'],
    help: 'Requests to upstreams by operation and outcome (status class or error code).',
  },
  {
    name: 'assay_upstream_seconds',
    kind: 'histogram',
    labels: ['upstream', 'operation'],
    help: 'Time until the headers of an upstream answer.',
  },
  {
    name: 'assay_upstream_rate_limit_remaining',
    kind: 'gauge',
    over: 'min',
    labels: ['upstream'],
    help: 'Requests left as the upstream last stated in ratelimit-remaining, to any replica.',
  },
  {
    name: 'assay_upstream_circuit',
    kind: 'gauge',
    over: 'max',
    labels: ['upstream', 'operation'],
    help: '0: the upstream is asked; 2: it failed too often and is not asked for a while; 1: one request probes it.',
  },
  {
    name: 'assay_upstream_unasked_total',
    kind: 'counter',
    labels: ['upstream', 'operation', 'because'],
    help: 'Requests that an upstream was not asked: it failed too often (circuit), too many wait (queue), or it allows no more (rate-limit).',
  },
] as const satisfies readonly MetricDeclaration[];
