import type { MetricDeclaration } from './metric-declaration.ts';

/** Requests, verdicts, and what the gate made of them: admissions, denials, the deny list, tags. */
export const gateMetrics = [
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
    over: 'min',
    labels: [],
    help: 'Epoch of the deny list in force here: it grows with every change, and is the same on all replicas within seconds.',
  },
  {
    name: 'assay_deny_list_entries',
    kind: 'gauge',
    over: 'min',
    labels: ['kind'],
    help: 'Entries of the deny list by kind (digest, key, identity, repository), as of its last change.',
  },
  {
    name: 'assay_deny_list_synced_timestamp_seconds',
    kind: 'gauge',
    over: 'min',
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
    over: 'max',
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
    name: 'assay_failed_misses_total',
    kind: 'counter',
    labels: [],
    help: 'Requests that asked an upstream for what does not exist or is denied, and were charged to their client (limits.client.misses).',
  },
  {
    name: 'assay_over_limit_total',
    kind: 'counter',
    labels: ['limit'],
    help: 'Requests refused because a client, or all together, reached one of our limits: client-requests, client-streams, client-misses (429), cold-requests (503).',
  },
  {
    name: 'assay_cold_requests',
    kind: 'gauge',
    over: 'sum',
    labels: [],
    help: 'Requests that wait for something to be found out: verified, or asked of an upstream.',
  },
  {
    name: 'assay_coalesced_total',
    kind: 'counter',
    labels: ['operation'],
    help: 'Requests that waited for the same work already under way.',
  },
] as const satisfies readonly MetricDeclaration[];
