import { readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BlobRecord, BundleDocument, VolumeList } from '../../src/airgap/bundle.ts';
import { readBlobRecords } from '../../src/airgap/blob-index.ts';
import { readBundleDocument } from '../../src/airgap/bundle-document.ts';
import { type VerifiedMetadata, verifyMetadata } from '../../src/airgap/metadata-reader.ts';
import { readVolumeList } from '../../src/airgap/volume-list.ts';
import { readVolume } from '../../src/airgap/volume-reader.ts';
import { exportImages } from '../../src/compose/airgap-export.ts';
import type { ExportOptions, ExportReport } from '../../src/compose/airgap-exporting.ts';
import { changeKeys } from '../../src/compose/airgap-init.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { type Digest, matchesDigest } from '../../src/oci/digest.ts';
import { type Run, runInProcess } from './run-assay.ts';

/** A site that exports, on a configuration of its own. */
export interface ExportKit {
  /** The configuration file, and the folder that it is in. */
  readonly file: string;
  readonly folder: string;
  readonly keys: string;
  /** Runs `assay airgap export` for these images into a folder beside the configuration. */
  run(images: string | undefined, out: string, ...words: readonly string[]): Promise<Run>;
  /** The same, and reads what it prints for programs. */
  report(
    images: string | undefined,
    out: string,
    ...words: readonly string[]
  ): Promise<ExportReport & { readonly code: number | null }>;
  /** Without a command around it, by a clock of the test's. */
  export(images: string | undefined, out: string, options: ExportWish): Promise<ExportReport>;
  open(out: string): Promise<OpenBundle>;
}

export interface ExportWish extends Partial<ExportOptions> {
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** A bundle as whoever imports it reads it. */
export interface OpenBundle {
  readonly folder: string;
  readonly metadata: VerifiedMetadata;
  readonly document: BundleDocument;
  readonly records: readonly BlobRecord[];
  readonly volumes: VolumeList;
  /** All content that it carries, each hashed. */
  readonly contents: ReadonlyMap<Digest, Buffer>;
  /** The bytes of trust material, by path. */
  readonly trust: ReadonlyMap<string, Buffer>;
}

export async function makeExportKit(file: string): Promise<ExportKit> {
  const folder = join(file, '..');
  const keys = join(folder, 'keys');
  await makeKeys(keys);
  const list = join(folder, 'images.yaml');
  const run = (images: string | undefined, out: string, ...words: readonly string[]) => {
    if (images !== undefined) writeFileSync(list, images);
    const about = images === undefined ? [] : ['--images', list];
    const into = ['--out', resolve(folder, out), '--keys', keys, '--config', file];
    return runInProcess(['airgap', 'export', ...about, ...into, ...words]);
  };
  return {
    file,
    folder,
    keys,
    run,
    async report(images, out, ...words) {
      const { code, stdout, stderr } = await run(images, out, ...words, '--json');
      if (!stdout.includes('"images"')) throw new Error(`no report: ${code} ${stderr}`);
      return { ...(JSON.parse(stdout) as ExportReport), code };
    },
    async export(images, out, { clock, signal = AbortSignal.timeout(60_000), ...options }) {
      if (images !== undefined) writeFileSync(list, images);
      const wish: ExportOptions = {
        images: images === undefined ? undefined : list,
        out: resolve(folder, out),
        format: 'bundle',
        keys,
        since: undefined,
        volumeBytes: 8 * 1024 * 1024,
        untrusted: 'refuse',
        onProgress: () => undefined,
        ...options,
      };
      return exportImages(await loadConfig(file), wish, signal, clock);
    },
    open: (out) => openBundle(resolve(folder, out), join(keys, '1.root.json')),
  };
}

/** Far beyond what a test's clock may say. */
const days = 36_500;

async function makeKeys(folder: string): Promise<void> {
  const wish = { folder, what: { kind: 'init' }, uris: {}, thresholds: {}, days } as const;
  await changeKeys(wish, systemClock, AbortSignal.timeout(30_000));
}

async function openBundle(folder: string, rootFile: string): Promise<OpenBundle> {
  const metadata = await verifyMetadata({
    folder,
    trusted: { root: await readFile(rootFile), seen: undefined },
    now: systemClock.now(),
    // A test may have made it at another time.
    expired: 'reported',
  });
  const read = (path: string): Promise<Uint8Array> => metadata.readTarget(path, 64 * 1024 * 1024);
  const document = readBundleDocument(await read('bundle.json'));
  const { stream: name, sequence } = document;
  const volumes = readVolumeList(await read('volumes.json'), { stream: name, sequence });
  const index = await read('blobs.idx');
  const records: BlobRecord[] = [];
  for await (const record of readBlobRecords(inOne(index), volumes)) records.push(record);
  const bytes = new Map<number, Buffer>();
  for (const volume of volumes.volumes) {
    const file = join(folder, 'volumes', volume.name);
    const chunks: Buffer[] = [];
    const from = { file, volume, stream: name, sequence, chunkBytes: volumes.chunkBytes };
    for await (const chunk of readVolume(from)) chunks.push(Buffer.from(chunk.bytes));
    bytes.set(volume.number, Buffer.concat(chunks));
  }
  const contents = new Map<Digest, Buffer>();
  for (const { digest, extents } of records) {
    if (extents === undefined) continue;
    const parts = extents.map(({ volume, offset, length }) =>
      (bytes.get(volume) ?? Buffer.alloc(0)).subarray(offset, offset + length),
    );
    const content = Buffer.concat(parts);
    if (!matchesDigest(content, digest)) throw new Error(`${digest} has other bytes`);
    contents.set(digest, content);
  }
  const trust = new Map<string, Buffer>();
  for (const { path } of document.trust) trust.set(path, Buffer.from(await read(path)));
  return { folder, metadata, document, records, volumes, contents, trust };
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Every file below a folder, by its path in it. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
