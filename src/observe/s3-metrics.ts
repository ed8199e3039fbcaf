import type { MetricDeclaration } from './metric-declaration.ts';

/** Content that replicas share in S3. */
export const s3Metrics = [
  {
    name: 'assay_s3_up',
    kind: 'gauge',
    labels: [],
    over: 'min',
    help: '1 while S3 is asked, 0 while it does not answer and this replica goes on without it.',
  },
  {
    name: 'assay_s3_seconds',
    kind: 'histogram',
    labels: ['operation'],
    help: 'Time of one request to S3 until the headers of its answer, whether it was answered or not.',
  },
  {
    name: 'assay_s3_errors_total',
    kind: 'counter',
    labels: ['operation', 'because'],
    help: 'Requests to S3 in vain: late, unreachable, failing (5xx, slow down), refused (credentials, bucket), unfit (the object changed), not-asked (it failed a moment ago).',
  },
  {
    name: 'assay_s3_uploads_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Content to be shared: stored, there (already), mismatch (not what its digest names), failed, left-out (too many at once, or gone from here).',
  },
  {
    name: 'assay_s3_bad_objects_total',
    kind: 'counter',
    labels: ['because'],
    help: 'Objects that were not what their digest names, by their size or their bytes: somebody else writes into the bucket, or it loses data. Investigate.',
  },
  {
    name: 'assay_blob_handovers_total',
    kind: 'counter',
    labels: ['to'],
    help: 'Blobs that others send in our place: S3 (a redirect), nginx (X-Accel-Redirect).',
  },
] as const satisfies readonly MetricDeclaration[];
