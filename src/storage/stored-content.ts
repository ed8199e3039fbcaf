import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../kernel/clock.ts';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentName, StoredBlob } from './blob-store.ts';
import type { BadBecause } from './bad-files.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import { type PieceSource, readPieces } from './read-pieces.ts';
import { readVerified } from './verified-read.ts';

export interface StoredContentDependencies {
  readonly files: FileSystem;
  readonly clock: Clock;
  /** A file of another length than the content's. */
  readonly onWrongSize: () => void;
  readonly onRead: (bytes: number) => void;
  /** Whether somebody asked for it, which is noted. */
  readonly isAskedFor: boolean;
  /** Whether it is hashed on its way. */
  readonly verify: 'always' | 'never';
  /** Whether the file is known to be bad. */
  readonly isBad: (ino: number) => boolean;
  /** The disk lost its bytes, or they are others; told once at least. */
  readonly onBad: (ino: number | undefined, because: BadBecause) => void;
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
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opened first, measured then: what is read is what was measured, whatever happens to the name. */
export async function openStored(
  path: string,
  content: ContentName,
  open: OpenFiles,
  dependencies: StoredContentDependencies,
): Promise<StoredBlob | undefined> {
  const { clock, isAskedFor, onRead } = dependencies;
  const { digest, size } = content;
  const opened = await openFile(path, content, dependencies);
  if (opened === undefined) return undefined;
  const { handle, found } = opened;
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
    read(start, end) {
      const source = makeSource(content, opened, start, end, dependencies);
      const onEnd = (position: number): void => {
        source.onEnd(position);
        onRead(position - start);
        void close();
      };
      return readPieces({ ...source, onEnd }, start, pieceBytes);
    },
  };
}

interface OpenedFile {
  readonly handle: FileHandle;
  readonly found: Stats;
}

/** Undefined for what is as good as nothing. */
async function openFile(
  path: string,
  { size }: ContentName,
  { files, onWrongSize, isAskedFor, isBad, onBad }: StoredContentDependencies,
): Promise<OpenedFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await unlessAbsent(files.open(path, readFlags));
    if (handle === undefined) return undefined;
    const found = await handle.stat();
    if (found.isFile() && found.size === size && !isBad(found.ino)) return { handle, found };
    if (!found.isFile() || found.size !== size) onWrongSize();
  } catch (error) {
    await handle?.close();
    if (!isAskedFor || systemCodeOf(error) !== 'EIO') throw error;
    onBad(undefined, 'can not be read');
    return undefined;
  }
  await handle.close();
  return undefined;
}

function makeSource(
  content: ContentName,
  { handle, found }: OpenedFile,
  start: number,
  end: number,
  { verify, onBad }: StoredContentDependencies,
): PieceSource {
  const readAt = async (into: Uint8Array, position: number): Promise<number> => {
    try {
      const { bytesRead } = await handle.read(into, 0, into.byteLength, position);
      return bytesRead;
    } catch (error) {
      // The disk lost these bytes; any other failure says nothing about them.
      if (systemCodeOf(error) === 'EIO') onBad(found.ino, 'can not be read');
      throw error;
    }
  };
  if (verify === 'always') {
    const onMismatch = (): void => onBad(found.ino, 'has other bytes than its digest names');
    return readVerified(content, { start, end, readAt, onMismatch });
  }
  return {
    read: readAt,
    ready: (position) => (position < end ? end - position : 'end'),
    whenMore: () => undefined,
    onEnd: () => undefined,
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
