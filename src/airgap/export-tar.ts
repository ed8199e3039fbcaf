import { type FileHandle, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import { systemFiles, unlessAbsent } from '../storage/file-system.ts';
import { syncFolder } from '../storage/store-folder.ts';
import { AirgapError } from './airgap-error.ts';
import { hashed, type LayoutExport, layoutVersion } from './export-layout.ts';
import { writeFailure } from './file-failure.ts';
import { writeLayoutIndex } from './layout-entries.ts';
import { openNew } from './new-file.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts';

/**
 * Writes an image layout as one tar, which has its name once it is whole; one that was killed
 * begins anew. The same plan makes the same bytes. Throws `AirgapError`, and what `read` throws.
 */
export async function exportTar(options: LayoutExport, signal: AbortSignal): Promise<void> {
  const { path } = options;
  const index = writeLayoutIndex(options.plan);
  if ((await unlessAbsent(stat(path))) !== undefined) {
    throw new AirgapError('FOLDER_OCCUPIED', `${path} is there already: name another file`);
  }
  const part = `${path}.part`;
  const attempt = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw writeFailure(path, cause);
    });
  const handle = await attempt(openNew(part));
  const write = (bytes: Uint8Array): Promise<void> => attempt(handle.writeFile(bytes));
  try {
    await writeSmall('oci-layout', Buffer.from(layoutVersion), write);
    await writeSmall('index.json', index, write);
    await writeBlobs(options, write, signal);
    await write(tarEnd);
    await attempt(handle.sync());
  } finally {
    await closeQuietly(handle);
  }
  await attempt(rename(part, path));
  await attempt(syncFolder(dirname(path), systemFiles));
}

type Write = (bytes: Uint8Array) => Promise<void>;

async function writeBlobs(
  { plan, read, onProgress }: LayoutExport,
  write: Write,
  signal: AbortSignal,
): Promise<void> {
  let done = 0;
  for (const content of plan.contents.values()) {
    signal.throwIfAborted();
    const { digest, size } = content;
    await write(tarHeader(`blobs/${algorithmOf(digest)}/${encodedOf(digest)}`, size));
    for await (const piece of hashed(content, read(content, signal))) {
      await write(piece);
      done += piece.byteLength;
      onProgress(done);
    }
    await write(tarPadding(size));
  }
}

async function writeSmall(name: string, bytes: Uint8Array, write: Write): Promise<void> {
  await write(tarHeader(name, bytes.byteLength));
  await write(bytes);
  await write(tarPadding(bytes.byteLength));
}

/** What could not be written has been told. */
async function closeQuietly(handle: FileHandle): Promise<void> {
  await handle.close().catch(() => undefined);
}
