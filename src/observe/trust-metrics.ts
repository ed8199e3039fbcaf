import type { MetricDeclaration } from './metric-declaration.ts';

/** What trust rests on: anchors, Sigstore roots, revocation, plugins, the policy in force. */
export const trustMetrics = [
  {
    name: 'assay_trust_anchor_expiry_timestamp_seconds',
    kind: 'gauge',
    over: 'min',
    labels: ['store', 'subject', 'fingerprint'],
    help: 'When a trust anchor that the policy relies upon ends (Unix time); of the 1,000 that end first.',
  },
  {
    name: 'assay_plugin_runs_total',
    kind: 'counter',
    labels: ['plugin', 'command', 'outcome'],
    help: 'Runs of verification plugins: answered (whatever the answer), cancelled, or why nothing was found out.',
  },
  {
    name: 'assay_plugin_seconds',
    kind: 'histogram',
    labels: ['plugin', 'command'],
    help: 'Time of one run of a verification plugin, its wait for a free place and the hash of its file included.',
  },
  {
    name: 'assay_sigstore_root_verified_timestamp_seconds',
    kind: 'gauge',
    over: 'min',
    labels: ['root'],
    help: 'When each Sigstore root was last known to be the newest; 0 for one that came with this version.',
  },
  {
    name: 'assay_sigstore_root_expiry_timestamp_seconds',
    kind: 'gauge',
    over: 'min',
    labels: ['root'],
    help: 'When each Sigstore root ends unless it is refreshed; plain files do not.',
  },
  {
    name: 'assay_sigstore_root_refreshes_total',
    kind: 'counter',
    labels: ['root', 'outcome'],
    help: 'Refreshes of Sigstore roots over TUF by outcome: refreshed, failed.',
  },
  {
    name: 'assay_revocation_requests_total',
    kind: 'counter',
    labels: ['kind', 'outcome'],
    help: 'Requests to OCSP responders and for revocation lists: usable, unusable (the answer proves nothing), unreachable.',
  },
  {
    name: 'assay_revocation_reused_total',
    kind: 'counter',
    labels: ['kind', 'from'],
    help: 'Revocation data that was there already: in memory, in the cache of the state, in a file.',
  },
  {
    name: 'assay_revocation_oldest_seconds',
    kind: 'gauge',
    over: 'max',
    labels: ['kind'],
    help: 'Age of the oldest answer about revocation that is in use.',
  },
  {
    name: 'assay_policy_info',
    kind: 'gauge',
    over: 'max',
    labels: ['digest', 'revision'],
    help: 'The trust policy in force; the value is 1.',
  },
  {
    name: 'assay_exemption_expiry_timestamp_seconds',
    kind: 'gauge',
    over: 'min',
    labels: ['rule', 'owner'],
    help: 'When an exemption of the trust policy ends (Unix time); of the 1,000 that end first.',
  },
  {
    name: 'assay_reload_failures_total',
    kind: 'counter',
    over: 'first',
    labels: ['what'],
    help: 'Changed policy or trust files that did not load; the last good one stays in force.',
  },
] as const satisfies readonly MetricDeclaration[];
