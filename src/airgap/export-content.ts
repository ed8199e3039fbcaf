import { join } from 'node:path';
import type { Digest } from '../oci/digest.ts';
import { AirgapError } from './airgap-error.ts';
import { formatBlobRecord } from './blob-index.ts';
import type { Volume, VolumeList } from './bundle.ts';
import { writeFailure } from './file-failure.ts';
import { openNew } from './new-file.ts';
import type { PlannedContent } from './plan.ts';
import { readVolume } from './volume-reader.ts';
import { volumeChunkBytes, type VolumeOwner } from './volume-list.ts';
import { openVolumeWriter } from './volume-writer.ts';

export interface ContentExport extends VolumeOwner {
  /** The bundle's, with `volumes/` in it. */
  readonly folder: string;
  readonly volumeBytes: number;
  /** In the order in which they are written, or taken to be there. */
  readonly contents: Iterable<PlannedContent>;
  /** What is taken to be there, and not written. */
  readonly isAssumed: (digest: Digest) => boolean;
  readonly read: (content: PlannedContent, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Volumes that an earlier run finished. */
  readonly finished: readonly Volume[];
  readonly onVolume: (finished: VolumeList) => Promise<void>;
  readonly onProgress: (doneBytes: number) => void;
}

export interface WrittenContent {
  readonly volumes: VolumeList;
  /** Where `blobs.idx` is. */
  readonly indexFile: string;
}

/** Memory: one chunk, and a page of the index. Throws `AirgapError`, and what `read` throws. */
export async function writeContent(
  options: ContentExport,
  signal: AbortSignal,
): Promise<WrittenContent> {
  const { folder, contents, isAssumed } = options;
  const indexFile = join(folder, 'blobs.idx.part');
  const index = await openIndexWriter(indexFile);
  try {
    const volumes = await writeCarried(options, index, signal);
    const assumed = [...contents].filter(({ digest }) => isAssumed(digest));
    for (const { digest, size } of assumed.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))) {
      await index.add(formatBlobRecord({ digest, size, extents: undefined }));
    }
    await index.finish();
    return { volumes, indexFile };
  } finally {
    await index.close();
  }
}

async function writeCarried(
  options: ContentExport,
  index: IndexWriter,
  signal: AbortSignal,
): Promise<VolumeList> {
  const { folder, stream, sequence, volumeBytes, onVolume } = options;
  const volumesFolder = join(folder, 'volumes');
  const finished = await wholeVolumes(volumesFolder, options);
  const writer = await openVolumeWriter({
    folder: volumesFolder,
    stream,
    sequence,
    volumeBytes,
    resume: { chunkBytes: volumeChunkBytes, volumes: finished },
    onVolume,
  });
  try {
    let done = 0;
    for (const content of options.contents) {
      if (options.isAssumed(content.digest)) continue;
      signal.throwIfAborted();
      const { digest, size } = content;
      const counted = countBytes(options.read(content, signal), (bytes) =>
        options.onProgress(done + bytes),
      );
      const extents = writer.skip(content) ?? (await writer.add(content, counted, signal));
      done += size;
      options.onProgress(done);
      await index.add(formatBlobRecord({ digest, size, extents }));
    }
    return await writer.finish();
  } finally {
    await writer.abandon();
  }
}

async function* countBytes(
  bytes: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const piece of bytes) {
    count += piece.byteLength;
    onBytes(count);
    yield piece;
  }
}

/** Those, from the first on, of which every chunk is what it was: the next ones are written anew. */
async function wholeVolumes(
  folder: string,
  { finished, stream, sequence, volumeBytes }: ContentExport,
): Promise<readonly Volume[]> {
  for (const [index, volume] of finished.entries()) {
    try {
      // The last one of a bundle is finished when nothing follows: then it may be smaller.
      if (volume.bytes !== volumeBytes) return finished.slice(0, index);
      const file = join(folder, volume.name);
      const read = { file, volume, stream, sequence, chunkBytes: volumeChunkBytes };
      for await (const _ of readVolume(read));
    } catch (error) {
      if (!(error instanceof AirgapError)) throw error;
      return finished.slice(0, index);
    }
  }
  return finished;
}

interface IndexWriter {
  add(line: string): Promise<void>;
  finish(): Promise<void>;
  close(): Promise<void>;
}

const pageBytes = 64 * 1024;

async function openIndexWriter(path: string): Promise<IndexWriter> {
  const handle = await openNew(path).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
  let page = '';
  const write = async (): Promise<void> => {
    const text = page;
    page = '';
    await handle.appendFile(text).catch((cause: unknown) => {
      throw writeFailure(path, cause);
    });
  };
  return {
    async add(line) {
      page += line;
      if (page.length >= pageBytes) await write();
    },
    async finish() {
      await write();
      await handle.sync().catch((cause: unknown) => {
        throw writeFailure(path, cause);
      });
    },
    close: () => handle.close(),
  };
}
