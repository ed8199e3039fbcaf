/** Every metric, in one list: docs/metrics.md is generated from it. */
export const metricList = [
  {
    name: 'assay_requests_total',
    kind: 'counter',
    labels: ['route', 'method', 'status'],
    help: 'Answers of the OCI API by route and HTTP status.',
  },
  {
    name: 'assay_request_seconds',
    kind: 'histogram',
    labels: ['route'],
    help: 'Time from the request to the first byte of the answer.',
  },
  {
    name: 'assay_verdicts_total',
    kind: 'counter',
    labels: ['kind', 'reason'],
    help: 'New verdicts by kind and reason (empty when trusted).',
  },
  {
    name: 'assay_verification_seconds',
    kind: 'histogram',
    labels: ['kind'],
    help: 'Time of one verification: discovery, examination and decision.',
  },
  {
    name: 'assay_signatures_examined_total',
    kind: 'counter',
    labels: ['format', 'outcome'],
    help: 'Signatures examined by format and outcome.',
  },
  {
    name: 'assay_admissions_total',
    kind: 'counter',
    labels: ['by', 'cache'],
    help: 'Content let through, by ground (verdict, exemption, audit, evidence) and cache tier.',
  },
  {
    name: 'assay_denials_total',
    kind: 'counter',
    labels: ['reason'],
    help: 'Requests denied by reason.',
  },
  {
    name: 'assay_deny_list_epoch',
    kind: 'gauge',
    labels: [],
    help: 'Epoch of the deny list in force here: it grows with every change, and is the same on all replicas within seconds.',
  },
  {
    name: 'assay_deny_list_entries',
    kind: 'gauge',
    labels: ['kind'],
    help: 'Entries of the deny list by kind (digest, key, identity, repository), as of its last change.',
  },
  {
    name: 'assay_deny_list_synced_timestamp_seconds',
    kind: 'gauge',
    labels: [],
    help: 'When the deny list in the shared state was last seen: what is denied elsewhere after that is not denied here.',
  },
  {
    name: 'assay_deny_list_republished_total',
    kind: 'counter',
    labels: [],
    help: 'Times that the deny list in the shared state was found empty, older or with entries missing, and was published again.',
  },
  {
    name: 'assay_deny_list_unreadable_entries',
    kind: 'gauge',
    labels: [],
    help: 'Entries of the deny list in the shared state that do not open here, and so are not in force.',
  },
  {
    name: 'assay_answers_cut_total',
    kind: 'counter',
    labels: [],
    help: 'Answers under way that were cut because what they send was put on the deny list.',
  },
  {
    name: 'assay_tag_rollbacks_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Decisions on tags that went back to something older: denied, warned, allowed (tags.allowedRollbacks).',
  },
  {
    name: 'assay_stale_tags_total',
    kind: 'counter',
    labels: ['upstream'],
    help: 'Tags served as they last pointed, because the upstream could not be asked.',
  },
  {
    name: 'assay_coalesced_total',
    kind: 'counter',
    labels: ['operation'],
    help: 'Requests that waited for the same work already under way.',
  },
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
    labels: ['upstream'],
    help: 'Pulls left as the upstream last stated in ratelimit-remaining.',
  },
  {
    name: 'assay_upstream_circuit',
    kind: 'gauge',
    labels: ['upstream', 'operation'],
    help: '0: the upstream is asked; 2: it failed too often and is not asked for a while; 1: one request probes it.',
  },
  {
    name: 'assay_upstream_unasked_total',
    kind: 'counter',
    labels: ['upstream', 'operation', 'because'],
    help: 'Requests that an upstream was not asked: it failed too often (circuit), or too many wait (queue).',
  },
  {
    name: 'assay_bytes_served_total',
    kind: 'counter',
    labels: ['kind'],
    help: 'Bytes of manifests and blobs sent to clients.',
  },
  {
    name: 'assay_blob_reads_total',
    kind: 'counter',
    labels: ['tier'],
    help: 'Blobs opened for clients: from the store (stored), along with a fill (fill), or past the store (upstream).',
  },
  {
    name: 'assay_bytes_saved_total',
    kind: 'counter',
    labels: ['tier'],
    help: 'Bytes of blobs that upstream was not asked for: stored ones, and those of a fill that others began.',
  },
  {
    name: 'assay_fills_running',
    kind: 'gauge',
    labels: [],
    help: 'Blobs being fetched into the store at the moment.',
  },
  {
    name: 'assay_fills_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Ended fills: stored, mismatch, upstream (it failed), given-up (no reader was left), disk (passed through), absent.',
  },
  {
    name: 'assay_fill_resumed_bytes_total',
    kind: 'counter',
    labels: [],
    help: 'Bytes of earlier tries that a fill went on from, instead of fetching them again.',
  },
  {
    name: 'assay_store_errors_total',
    kind: 'counter',
    labels: ['operation'],
    help: 'Reads and writes of the store that failed, and files of another size than their content.',
  },
  {
    name: 'assay_store_writable',
    kind: 'gauge',
    labels: [],
    help: '1 while the store takes content, 0 for a while after its disk failed.',
  },
  {
    name: 'assay_store_bytes',
    kind: 'gauge',
    labels: ['kind'],
    help: 'Bytes on disk: stored blobs, partial ones, and those that were put aside (quarantined).',
  },
  {
    name: 'assay_store_files',
    kind: 'gauge',
    labels: ['kind'],
    help: 'Files on disk: stored blobs, partial ones, and those that were put aside (quarantined).',
  },
  {
    name: 'assay_store_free_bytes',
    kind: 'gauge',
    labels: [],
    help: 'Bytes that the file system of the store has left.',
  },
  {
    name: 'assay_store_free_files',
    kind: 'gauge',
    labels: [],
    help: 'Files that the file system of the store can still take, where it says so.',
  },
  {
    name: 'assay_evicted_files_total',
    kind: 'counter',
    labels: ['reason'],
    help: 'Stored files let go for others: quota (storage.maxBytes), disk (few bytes left), inodes (few files left).',
  },
  {
    name: 'assay_evicted_bytes_total',
    kind: 'counter',
    labels: ['reason'],
    help: 'Their bytes.',
  },
  {
    name: 'assay_scrubbed_bytes_total',
    kind: 'counter',
    labels: [],
    help: 'Bytes of stored content that were hashed again by the scrub.',
  },
  {
    name: 'assay_quarantined_files_total',
    kind: 'counter',
    labels: [],
    help: 'Stored files that had other bytes than their digest names, put aside: investigate the disk.',
  },
  {
    name: 'assay_content_mismatch_total',
    kind: 'counter',
    labels: ['upstream'],
    help: 'Upstream bytes that were not what their digest names.',
  },
  {
    name: 'assay_sealed_entries_rejected_total',
    kind: 'counter',
    labels: [],
    help: 'State entries whose seal did not fit: treated as absent; investigate.',
  },
  {
    name: 'assay_redis_up',
    kind: 'gauge',
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
  {
    name: 'assay_trust_anchor_expiry_timestamp_seconds',
    kind: 'gauge',
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
    labels: ['root'],
    help: 'When each Sigstore root was last known to be the newest; 0 for one that came with this version.',
  },
  {
    name: 'assay_sigstore_root_expiry_timestamp_seconds',
    kind: 'gauge',
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
    labels: ['kind'],
    help: 'Age of the oldest answer about revocation that is in use.',
  },
  {
    name: 'assay_policy_info',
    kind: 'gauge',
    labels: ['digest', 'revision'],
    help: 'The trust policy in force; the value is 1.',
  },
  {
    name: 'assay_reload_failures_total',
    kind: 'counter',
    labels: ['what'],
    help: 'Changed policy or trust files that did not load; the last good one stays in force.',
  },
] as const satisfies readonly MetricDeclaration[];

interface MetricDeclaration {
  readonly name: string;
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly labels: readonly string[];
  readonly help: string;
}

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
