import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import type { QuarantineBounds, Swept } from './blob-store.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import type { StoreFolder } from './store-folder.ts';
import { namesIn, removeFile } from './sweep.ts';

/** Deletes what is too old, and the oldest until the rest fits. */
export async function trimQuarantine(
  { maxBytes, maxAgeMs }: QuarantineBounds,
  { folder, files, clock }: { folder: StoreFolder; files: FileSystem; clock: Clock },
): Promise<Swept> {
  const swept = { files: 0, bytes: 0 };
  const held = await readQuarantine(folder.quarantine, files);
  let left = held.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes, sinceMs } of held) {
    const isTooOld = clock.now().getTime() - sinceMs > maxAgeMs;
    if (!isTooOld && left <= maxBytes) continue;
    left -= bytes;
    if ((await removeFile(path, files)) === undefined) continue;
    swept.files += 1;
    swept.bytes += bytes;
  }
  return swept;
}

interface HeldFile {
  readonly path: string;
  readonly bytes: number;
  readonly sinceMs: number;
}

/** The oldest first. The move into the folder is the last thing that changed a file's entry. */
async function readQuarantine(folder: string, files: FileSystem): Promise<readonly HeldFile[]> {
  const held: HeldFile[] = [];
  for (const name of await namesIn(folder, files)) {
    const path = join(folder, name);
    const found = await unlessAbsent(files.stat(path));
    if (found?.isFile() === true) held.push({ path, bytes: found.size, sinceMs: found.ctimeMs });
  }
  return held.toSorted((a, b) => a.sinceMs - b.sinceMs);
}
