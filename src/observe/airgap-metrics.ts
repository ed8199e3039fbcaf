import type { MetricDeclaration } from './metric-declaration.ts';

/** What a site without a network serves, and how old what it knows is. */
export const airgapMetrics = [
  {
    name: 'assay_airgap_generation',
    kind: 'gauge',
    over: 'min',
    labels: [],
    help: 'The generation that is in force: one more with each import that published something.',
  },
  {
    name: 'assay_airgap_sequence',
    kind: 'gauge',
    over: 'min',
    labels: [],
    help: 'The sequence number of the bundle in force.',
  },
  {
    name: 'assay_airgap_revocation_age_seconds',
    kind: 'gauge',
    over: 'max',
    labels: [],
    help: 'How long ago the oldest of what the bundle in force knows of revocations was signed.',
  },
  {
    name: 'assay_airgap_drops_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Bundles of drop folders that were tried: published, held (in force before), refused (an image was), failed.',
  },
] as const satisfies readonly MetricDeclaration[];
