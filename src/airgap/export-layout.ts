import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import type { ContentName } from '../storage/blob-store.ts';
import { makeContentHash } from '../storage/content-hash.ts';
import { unlessAbsent } from '../storage/file-system.ts';
import { algorithms, syncFolder } from '../storage/store-folder.ts';
import { systemFiles } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure, writeFailure } from './file-failure.ts';
import { writeLayoutIndex } from './layout-entries.ts';
import { assertFolder, openNew, writeNew } from './new-file.ts';
import type { ExportPlan, PlannedContent } from './plan.ts';

export interface LayoutExport {
  /** A folder, or the file of a tar. */
  readonly path: string;
  readonly plan: ExportPlan;
  readonly read: (content: PlannedContent, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly onProgress: (doneBytes: number) => void;
}

export const layoutVersion = '{"imageLayoutVersion":"1.0.0"}';
const marker = 'export.unfinished';

/**
 * Writes an image layout into a folder; one that was killed goes on with the blobs that are there,
 * which are hashed again. index.json comes last. Throws `AirgapError`, and what `read` throws.
 */
export async function exportLayout(options: LayoutExport, signal: AbortSignal): Promise<void> {
  const { path, plan, read, onProgress } = options;
  const index = writeLayoutIndex(plan);
  await claimFolder(path);
  let done = 0;
  for (const content of plan.contents.values()) {
    signal.throwIfAborted();
    const file = join(path, 'blobs', algorithmOf(content.digest), encodedOf(content.digest));
    if (!(await isWhole(file, content))) {
      await writeBlob(file, content, read(content, signal), (bytes) => onProgress(done + bytes));
    }
    done += content.size;
    onProgress(done);
  }
  await removeOthers(path, plan);
  await attempt(path, async () => {
    await writeNew(join(path, 'oci-layout'), layoutVersion);
    await writeNew(join(path, 'index.json.part'), index);
    await rename(join(path, 'index.json.part'), join(path, 'index.json'));
    await syncFolder(path, systemFiles);
    await unlink(join(path, marker));
  });
}

async function claimFolder(path: string): Promise<void> {
  const names =
    (await unlessAbsent(readdir(path)).catch((cause: unknown) => {
      throw readFailure(path, cause);
    })) ?? [];
  if (names.length > 0 && !names.includes(marker)) {
    const message = `${path} is not empty: export into a folder of its own`;
    throw new AirgapError('FOLDER_OCCUPIED', message);
  }
  await attempt(path, async () => {
    await mkdir(path, { recursive: true });
    await writeNew(join(path, marker), '');
    await assertFolder(join(path, 'blobs'));
    for (const algorithm of algorithms) {
      // What is not planned is removed from there: a link would lead to files that are not ours.
      await assertFolder(join(path, 'blobs', algorithm));
      await mkdir(join(path, 'blobs', algorithm), { recursive: true });
    }
  });
}

async function attempt(path: string, work: () => Promise<void>): Promise<void> {
  await work().catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
}

async function isWhole(file: string, content: ContentName): Promise<boolean> {
  const found = await unlessAbsent(lstat(file));
  if (found?.isFile() !== true || found.size !== content.size) return false;
  const hash = makeContentHash(content);
  for await (const piece of createReadStream(file)) hash.update(piece as Uint8Array);
  return hash.matches();
}

async function writeBlob(
  file: string,
  content: ContentName,
  bytes: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const part = `${file}.part`;
  const write = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw writeFailure(file, cause);
    });
  const handle = await write(openNew(part));
  try {
    for await (const piece of hashed(content, bytes)) {
      await write(handle.writeFile(piece));
      onBytes(piece.byteLength);
    }
    await write(handle.sync());
  } finally {
    await handle.close();
  }
  await write(rename(part, file));
}

/** The same bytes; throws `AirgapError`, CONTENT_MISMATCH, where they are not the content's. */
export async function* hashed(
  content: ContentName,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = makeContentHash(content);
  for await (const piece of bytes) {
    hash.update(piece);
    if (hash.bytes > content.size) break;
    yield piece;
  }
  if (hash.matches()) return;
  const message = `${content.digest} has other bytes than its digest and size say`;
  throw new AirgapError('CONTENT_MISMATCH', message);
}

/** What an earlier run left that was for another list. */
async function removeOthers(path: string, { contents }: ExportPlan): Promise<void> {
  const planned = new Set([...contents.keys()].map((digest) => encodedOf(digest)));
  for (const algorithm of algorithms) {
    const folder = join(path, 'blobs', algorithm);
    const names = await readdir(folder);
    for (const name of names) {
      if (!planned.has(name)) await rm(join(folder, name), { force: true });
    }
    if (names.some((name) => planned.has(name))) continue;
    await rm(folder, { recursive: true }).catch((error: unknown) => {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
    });
  }
}
