import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileSystem } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure } from './file-failure.ts';
import { intoStore } from './file-failure.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

const blobName = /^blobs\/(?:sha256\/[a-f0-9]{64}|sha512\/[a-f0-9]{128})$/;
const maxIndexBytes = 4 * 1024 * 1024;

/**
 * Unpacks the archive of an image layout into a new folder: `index.json` and blobs under names of
 * digests, which nobody has compared with their bytes. Other files, as `docker save` has them, are
 * left out. Throws `AirgapError`.
 */
export async function unpackLayout(
  archive: string,
  folder: string,
  files: FileSystem,
  signal: AbortSignal,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await intoStore(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  await checkRoom(archive, folder, files);
  let hasIndex = false;
  for await (const entry of readTar(readArchive(archive, signal))) {
    if (entry.kind === 'folder') continue;
    if (entry.name === 'index.json') {
      if (entry.size > maxIndexBytes) throw malformed('its index.json is too large');
      hasIndex = true;
    } else if (!blobName.test(entry.name)) {
      continue;
    }
    await writeEntry(entry, join(folder, entry.name));
  }
  if (!hasIndex) throw malformed('it has no index.json');
}

async function* readArchive(archive: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(archive, { highWaterMark: 256 * 1024, signal });
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (cause) {
    signal.throwIfAborted();
    throw readFailure(archive, cause);
  } finally {
    stream.destroy();
  }
}

async function writeEntry({ bytes }: TarEntry, file: string): Promise<void> {
  await intoStore(file, () => mkdir(dirname(file), { recursive: true, mode: 0o700 }));
  const handle = await intoStore(file, () => open(file, 'wx', 0o600));
  try {
    for await (const piece of bytes) await intoStore(file, () => handle.writeFile(piece));
    await intoStore(file, () => handle.sync());
  } finally {
    await handle.close();
  }
}

async function checkRoom(archive: string, folder: string, files: FileSystem): Promise<void> {
  const { size } = await stat(archive).catch((cause: unknown) => {
    throw readFailure(archive, cause);
  });
  const { bavail, bsize } = await files.statfs(folder);
  const free = bavail * bsize;
  if (free >= size) return;
  const message = `${folder} has ${free} bytes left, and ${archive} has ${size}`;
  throw new AirgapError('NO_SPACE', message);
}

function malformed(why: string): AirgapError {
  return new AirgapError('LAYOUT_MALFORMED', `the archive holds no image layout: ${why}`);
}
