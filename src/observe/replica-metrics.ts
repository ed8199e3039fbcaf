import type { MetricDeclaration } from './metric-declaration.ts';

/** Replicas that share state: who is there, and whether they agree. */
export const replicaMetrics = [
  {
    name: 'assay_replicas_seen',
    kind: 'gauge',
    // All processes of a host are one replica, and hear the same.
    over: 'min',
    labels: [],
    help: 'Replicas whose heartbeat this one hears in the shared state, itself included.',
  },
  {
    name: 'assay_replicas_different',
    kind: 'gauge',
    over: 'max',
    labels: ['what'],
    help: 'Other replicas that have another one than this: policy, trust (what it rests on), version, schema (of the state).',
  },
  {
    name: 'assay_replica_clock_skew_seconds',
    kind: 'gauge',
    over: 'max',
    labels: ['against'],
    help: 'How far this clock is, at least, from that of redis, and from the farthest of the other replicas.',
  },
  {
    name: 'assay_replica_fenced',
    kind: 'gauge',
    over: 'max',
    labels: ['because'],
    help: '1 while this replica keeps out: clock (it writes nothing to the shared state), policy (others have a newer revision), version (others deny what this one does not understand).',
  },
  {
    name: 'assay_redis_evicts',
    kind: 'gauge',
    over: 'max',
    labels: [],
    help: '1 where the maxmemory-policy of Redis lets it drop any entry, denials too.',
  },
] as const satisfies readonly MetricDeclaration[];
