import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContentName, Followed } from './blob-store.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { parseJournal } from './journal.ts';
import type { Holder, Leases } from './lease.ts';
import type { StoreFolder } from './store-folder.ts';

/**
 * The growing file of another process. It is never cut short under us: an owner that begins anew
 * takes a new file.
 */
export async function followPartial(
  content: ContentName,
  leases: Leases,
  folder: StoreFolder,
  files: FileSystem,
): Promise<Followed | undefined> {
  const { digest, size } = content;
  const found = await findPart(content, leases, folder, files);
  if (found === undefined) return undefined;
  const { holder, part } = found;

  const isStored = async (ino: number): Promise<boolean> => {
    const stored = await unlessAbsent(files.stat(folder.blob(digest)));
    return stored?.ino === ino && stored.size === size;
  };
  return {
    async progress() {
      const { ino, size: bytes } = await part.stat();
      const now = await leases.holder(digest);
      const isHeld = now?.owner === holder.owner && now.state === 'active';
      // Looked at after the lease: content is put into its place before the lease is given back.
      if (await isStored(ino)) return 'stored';
      return isHeld ? Math.min(bytes, size) : 'lost';
    },
    async read(into, position) {
      const { bytesRead } = await part.read(into, 0, into.byteLength, position);
      return bytesRead;
    },
    release: () => part.close(),
  };
}

/** An owner asks upstream before its files are there. */
const lookEveryMs = 10;
const maxLooks = 200;

async function findPart(
  { digest, size }: ContentName,
  leases: Leases,
  folder: StoreFolder,
  files: FileSystem,
): Promise<{ readonly holder: Holder; readonly part: FileHandle } | undefined> {
  for (let looks = 0; looks < maxLooks; looks += 1) {
    const holder = await leases.holder(digest);
    if (holder?.state !== 'active') return undefined;
    const from = folder.partial(digest, holder.owner);
    const text = await unlessAbsent(files.readFile(from.journal, 'utf8'));
    const known = text === undefined ? undefined : parseJournal(text);
    if (known !== undefined && known.size !== size) return undefined;
    const part = known && (await unlessAbsent(files.open(from.part, 'r')));
    if (part !== undefined) return { holder, part };
    await delay(lookEveryMs);
  }
  return undefined;
}
