import type { MetricDeclaration } from './metric-declaration.ts';

/** The processes that serve, where `workers` says that there are several. */
export const workerMetrics = [
  {
    name: 'assay_workers',
    kind: 'gauge',
    over: 'max',
    labels: ['state'],
    help: 'Processes that serve: as many as there should be (wanted), and as many as listen (listening).',
  },
  {
    name: 'assay_worker_exits_total',
    kind: 'counter',
    labels: ['because'],
    help: 'Workers that ended unasked, by signal or exit code; start: one could not start and said why; hung: one answered nothing and was killed.',
  },
] as const satisfies readonly MetricDeclaration[];
