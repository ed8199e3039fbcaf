import type { ContentName, Staging } from './blob-store.ts';
import { renderCheckpoint, renderValidator } from './journal.ts';
import { type Lease, leavePartial } from './lease.ts';
import { openPartial, type PartialDependencies, removePartial } from './partial-content.ts';
import { StorageError } from './storage-error.ts';
import { syncFolder } from './store-folder.ts';
import { writeAll } from './write-all.ts';
import { algorithmOf } from '../oci/digest.ts';

export interface StagingDependencies extends PartialDependencies {
  /** Called with what went wrong on disk. */
  readonly onFailure: (error: unknown) => void;
  readonly onCommit: (bytes: number) => void;
}

/** After a kill, at most so many bytes are not known to be right. */
const checkpointBytes = 4 * 1024 * 1024;

/** Content on its way in, in a file of the lease's owner; ends the lease with itself. */
export async function openStaging(
  content: ContentName,
  lease: Lease,
  dependencies: StagingDependencies,
): Promise<Staging> {
  const { folder, files, onFailure, onCommit } = dependencies;
  const { digest } = content;
  const own = folder.partial(digest, lease.owner);
  const { part, journal, hash, validator } = await openPartial(content, lease.owner, dependencies);
  let written = hash.bytes;
  let checkpoint = hash.bytes;
  let isRight = false;
  let isEnded = false;

  const note = async (line: string): Promise<void> => {
    // It only saves a later try some work; the bytes themselves will tell of a broken disk.
    await journal.appendFile(line).catch(() => undefined);
  };
  const noteCheckpoint = (): Promise<void> => {
    checkpoint = written;
    return note(renderCheckpoint({ length: written, hash: hash.soFar() }));
  };
  const end = async (work: () => Promise<void>): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    try {
      await work();
    } catch (error) {
      onFailure(error);
    } finally {
      await journal.close().catch(onFailure);
      await lease.release().catch(onFailure);
    }
  };

  return {
    prefixBytes: hash.bytes,
    validator,
    async noteValidator(text) {
      const line = renderValidator(text);
      if (line !== undefined) await note(line);
    },
    async append(chunks) {
      const writing = writeAll(part, chunks, written);
      for (const chunk of chunks) hash.update(chunk);
      try {
        await writing;
      } catch (error) {
        onFailure(error);
        throw failed(content, error);
      }
      written = hash.bytes;
      if (written - checkpoint >= checkpointBytes) await noteCheckpoint();
    },
    pass: (chunk) => hash.update(chunk),
    matches() {
      isRight = hash.matches();
      return isRight;
    },
    async read(into, position) {
      const { bytesRead } = await part.read(into, 0, into.byteLength, position);
      return bytesRead;
    },
    async commit() {
      if (!isRight || written !== content.size) {
        throw new TypeError(`${digest} was about to be stored with other bytes`);
      }
      try {
        await part.datasync();
        await files.rename(own.part, folder.blob(digest));
        await syncFolder(folder.blobs(algorithmOf(digest)), files);
      } catch (error) {
        onFailure(error);
        throw failed(content, error);
      }
      onCommit(content.size);
      await end(() => removePartial(own, files));
    },
    keep: () =>
      end(async () => {
        if (written === 0) return removePartial(own, files);
        if (written === hash.bytes && written > checkpoint) await noteCheckpoint();
        await leavePartial(digest, lease.owner, folder, files);
      }),
    discard: () => end(() => removePartial(own, files)),
    release: () => part.close(),
  };
}

function failed({ digest }: ContentName, cause: unknown): StorageError {
  const detail = cause instanceof Error ? `: ${cause.message}` : '';
  return new StorageError('STORAGE_FAILED', `${digest} can't be stored${detail}`, { cause });
}
