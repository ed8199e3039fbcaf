import { join } from 'node:path';
import { randomHex } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { unlessAbsent } from './file-system.ts';
import type { StoreDisk } from './store-disk.ts';
import { fileNameOf } from './store-folder.ts';

/** Takes content from its place in one step; `rest` is what is still to be deleted. */
export async function moveAway(
  digest: Digest,
  into: 'trash' | 'quarantine',
  disk: StoreDisk,
): Promise<{ readonly isRemoved: boolean; readonly rest: string | undefined }> {
  const { folder, files, usage } = disk;
  const name = fileNameOf(digest);
  const isTrash = into === 'trash';
  const target = isTrash
    ? join(folder.trash, `${name}.${randomHex(8)}`)
    : join(folder.quarantine, name);
  const size = (await disk.infoOf(digest))?.size ?? 0;
  const moved = await unlessAbsent(files.rename(folder.blob(digest), target).then(() => true));
  if (moved === undefined) return { isRemoved: false, rest: undefined };
  usage.removed(size);
  return { isRemoved: true, rest: isTrash ? target : undefined };
}
