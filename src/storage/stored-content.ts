import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentName, StoredBlob } from './blob-store.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { readPieces } from './read-pieces.ts';

export interface StoredContentDependencies {
  readonly files: FileSystem;
  readonly clock: Clock;
  /** A file of another length than the content's. */
  readonly onWrongSize: () => void;
  readonly onRead: (bytes: number) => void;
  /** Whether somebody asked for it, which is noted. */
  readonly isAskedFor: boolean;
}

/** What is open in this process. */
export interface OpenFiles {
  has(digest: Digest): boolean;
  add(digest: Digest): void;
  delete(digest: Digest): void;
}

export function countOpenFiles(): OpenFiles {
  const counts = new Map<Digest, number>();
  return {
    has: (digest) => counts.has(digest),
    add: (digest) => void counts.set(digest, (counts.get(digest) ?? 0) + 1),
    delete(digest) {
      const left = (counts.get(digest) ?? 1) - 1;
      if (left > 0) counts.set(digest, left);
      else counts.delete(digest);
    },
  };
}

/** Few system calls for a large blob; two of them are all that a stalled reader holds. */
const pieceBytes = 128 * 1024;
const accessGrainMs = 60 * 60_000;

/** Opened first, measured then: what is read is what was measured, whatever happens to the name. */
export async function openStored(
  path: string,
  content: ContentName,
  open: OpenFiles,
  dependencies: StoredContentDependencies,
): Promise<StoredBlob | undefined> {
  const { files, clock, onWrongSize, onRead, isAskedFor } = dependencies;
  const { digest, size } = content;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await unlessAbsent(files.open(path, flags));
  if (handle === undefined) return undefined;
  const found = await handle.stat().catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (!found.isFile() || found.size !== size) {
    await handle.close();
    onWrongSize();
    return undefined;
  }
  if (isAskedFor) touch(handle, found.mtimeMs, clock);
  open.add(digest);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    open.delete(digest);
    await handle.close();
  };
  return {
    size,
    close,
    read: (start, end) =>
      readPieces(
        {
          async read(into, position) {
            const { bytesRead } = await handle.read(into, 0, into.byteLength, position);
            return bytesRead;
          },
          ready: (position) => (position < end ? end - position : 'end'),
          whenMore: () => undefined,
          onEnd(position) {
            onRead(position - start);
            void close();
          },
        },
        start,
        pieceBytes,
      ),
  };
}

/**
 * The time of a stored file's last change is that of its last use: its bytes never change, and
 * the file system's own time of access is moved by whoever looks at it.
 */
function touch(handle: FileHandle, usedMs: number, clock: Clock): void {
  const now = clock.now();
  if (Math.abs(now.getTime() - usedMs) < accessGrainMs) return;
  handle.utimes(now, now).catch(() => undefined);
}
