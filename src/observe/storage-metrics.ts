import type { MetricDeclaration } from './metric-declaration.ts';

/** Bytes served, fills, and the store on disk. */
export const storageMetrics = [
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
    over: 'sum',
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
    over: 'min',
    labels: [],
    help: '1 while the store takes content, 0 for a while after its disk failed.',
  },
  {
    name: 'assay_store_bytes',
    kind: 'gauge',
    over: 'max',
    labels: ['kind'],
    help: 'Bytes on disk: stored blobs, partial ones, and those that were put aside (quarantined).',
  },
  {
    name: 'assay_store_files',
    kind: 'gauge',
    over: 'max',
    labels: ['kind'],
    help: 'Files on disk: stored blobs, partial ones, and those that were put aside (quarantined).',
  },
  {
    name: 'assay_store_free_bytes',
    kind: 'gauge',
    over: 'min',
    labels: [],
    help: 'Bytes that the file system of the store has left.',
  },
  {
    name: 'assay_store_free_files',
    kind: 'gauge',
    over: 'min',
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
] as const satisfies readonly MetricDeclaration[];
