import type { MetricDeclaration } from './metric-declaration.ts';

/** State that outlives a process: its seals, and Redis. */
export const stateMetrics = [
  {
    name: 'assay_sealed_entries_rejected_total',
    kind: 'counter',
    labels: [],
    help: 'State entries whose seal did not fit: treated as absent; investigate.',
  },
  {
    name: 'assay_redis_up',
    kind: 'gauge',
    over: 'min',
    labels: [],
    help: '1 while Redis is asked, 0 while it does not answer and this replica goes on by itself.',
  },
  {
    name: 'assay_redis_seconds',
    kind: 'histogram',
    labels: ['operation'],
    help: 'Time of one command to Redis, whether it was answered or not.',
  },
  {
    name: 'assay_redis_errors_total',
    kind: 'counter',
    labels: ['operation', 'because'],
    help: 'Commands to Redis in vain: late, unreachable, refused (its own error), not-asked (it failed a moment ago).',
  },
  {
    name: 'assay_redis_losses_total',
    kind: 'counter',
    labels: ['because'],
    help: 'How often Redis may have lost entries, which are put back as needed: emptied, away.',
  },
] as const satisfies readonly MetricDeclaration[];
