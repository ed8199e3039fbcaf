/**
 * How fast an index of a million blobs is read, and what it takes of memory: that of one line. Run
 * it with `node test/bench/blob-index.ts [LINES]`.
 */
import { createHash } from 'node:crypto';
import { formatBlobRecord, readBlobRecords } from '../../src/airgap/blob-index.ts';
import type { BlobRecord, VolumeList } from '../../src/airgap/bundle.ts';
import type { Digest } from '../../src/oci/digest.ts';

const lineCount = Number(process.argv[2] ?? 1_000_000);
const blobBytes = 1_000;
const header = 4_096;
const room = 650e6 - header;

/** Blob after blob, each of one size, over as many volumes as it takes. */
function* records(): Generator<BlobRecord> {
  for (let at = 0; at < lineCount; at += 1) {
    const begin = at * blobBytes;
    const volume = Math.floor(begin / room) + 1;
    const within = begin % room;
    const here = Math.min(blobBytes, room - within);
    const rest = blobBytes - here;
    const hash = createHash('sha256').update(`${at}`).digest('hex');
    const extents = [
      { volume, offset: header + within, length: here },
      ...(rest > 0 ? [{ volume: volume + 1, offset: header, length: rest }] : []),
    ];
    yield { digest: `sha256:${hash}` as Digest, size: blobBytes, extents };
  }
}

let written = 0;

async function* pieces(): AsyncGenerator<Uint8Array> {
  let text = '';
  for (const record of records()) {
    text += formatBlobRecord(record);
    if (text.length < 64 * 1024) continue;
    written += text.length;
    yield Buffer.from(text);
    text = '';
  }
  written += text.length;
  yield Buffer.from(text);
}

const total = lineCount * blobBytes;
const volumes: VolumeList = {
  chunkBytes: 8 * 1024 * 1024,
  volumes: Array.from({ length: Math.ceil(total / room) }, (_, index) => ({
    number: index + 1,
    name: `${index + 1}`,
    bytes: header + Math.min(room, total - index * room),
    chunks: [],
  })),
};

const before = process.memoryUsage.rss();
const began = performance.now();
let read = 0;
let peak = before;
for await (const _ of readBlobRecords(pieces(), volumes)) {
  read += 1;
  if (read % 10_000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
}
const seconds = (performance.now() - began) / 1000;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
console.log(`${read} lines, ${megabytes(written)}: written and read in ${seconds.toFixed(1)} s`);
console.log(
  `memory: ${megabytes(before)} before, at most ${megabytes(peak)} (${megabytes(peak - before)} more)`,
);
