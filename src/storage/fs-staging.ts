import type { FileHandle } from 'node:fs/promises';
import { messageOf } from '../kernel/tagged-error.ts';
import { algorithmOf, type Digest } from '../oci/digest.ts';
import type { ContentName, Staging } from './blob-store.ts';
import { type JournalWriter, makeJournalWriter } from './journal-writer.ts';
import { type Lease, leavePartial } from './lease.ts';
import { openPartial, type PartialDependencies, removePartial } from './partial-content.ts';
import { StorageError } from './storage-error.ts';
import { syncFolder } from './store-folder.ts';
import type { InTurn } from './turns.ts';
import { writeAll } from './write-all.ts';

export interface StagingDependencies extends PartialDependencies {
  /** Called with what went wrong on disk. */
  readonly onFailure: (error: unknown) => void;
  readonly onCommit: (bytes: number) => void;
  readonly inTurn: InTurn;
}

/** Content on its way in, in a file of the lease's owner; ends the lease with itself. */
export async function openStaging(
  content: ContentName,
  lease: Lease,
  dependencies: StagingDependencies,
): Promise<Staging> {
  const { folder, files, onFailure, onCommit, inTurn } = dependencies;
  const { digest, size } = content;
  const own = folder.partial(digest, lease.owner);
  const partial = await openPartial(content, lease.owner, dependencies);
  const { opened, hash, validator } = partial;
  let part: FileHandle | undefined;
  const ready = waitedForLater(opened.then((files) => (part = files.part)));
  const notes = waitedForLater(opened.then((files) => files.journal));
  const journal = makeJournalWriter(notes, hash);
  const endLease = makeOnce(() => lease.release().catch(onFailure));
  const end = makeEnd(ready, journal, endLease, onFailure);
  const trying = (work: () => Promise<void>): Promise<void> =>
    attempt(digest, work, endLease, onFailure);
  let written = hash.bytes;
  let isRight = false;

  return {
    prefixBytes: hash.bytes,
    validator,
    noteValidator: (text) => journal.validator(text),
    append: (chunks) =>
      trying(async () => {
        const write = (to: FileHandle): Promise<void> => writeAll(to, chunks, written);
        const writing = part === undefined ? ready.then(write) : write(part);
        for (const chunk of chunks) hash.update(chunk);
        await writing;
        written = hash.bytes;
        await journal.checkpointIfDue();
      }),
    pass: (chunk) => hash.update(chunk),
    matches() {
      isRight = hash.matches();
      return isRight;
    },
    read: (into, position) => readOnceMade(ready, into, position),
    async commit() {
      if (!isRight || written !== size) {
        throw new TypeError(`${digest} was about to be stored with other bytes`);
      }
      const file = await ready;
      await trying(() => inTurn(() => putIntoPlace(file, own.part, digest, dependencies)));
      onCommit(size);
      await end(() => removePartial(own, files));
    },
    keep: () =>
      end(async () => {
        if (written === 0) return removePartial(own, files);
        if (written === hash.bytes) await journal.checkpoint();
        await leavePartial(digest, lease.owner, folder, files);
      }),
    discard: () => end(() => removePartial(own, files)),
    release: () => closeOnceMade(ready),
  };
}

/** Whoever writes first sees what it failed with; till then it is no failure of anybody. */
function waitedForLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

function makeOnce(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}

async function readOnceMade(
  making: Promise<FileHandle>,
  into: Uint8Array,
  position: number,
): Promise<number> {
  const file = await making;
  const { bytesRead } = await file.read(into, 0, into.byteLength, position);
  return bytesRead;
}

async function closeOnceMade(making: Promise<FileHandle>): Promise<void> {
  const file = await making.catch(() => undefined);
  await file?.close();
}

/** In turn, since it waits for the disk itself. */
async function putIntoPlace(
  part: FileHandle,
  path: string,
  digest: Digest,
  { folder, files }: PartialDependencies,
): Promise<void> {
  await part.datasync();
  await files.rename(path, folder.blob(digest));
  await syncFolder(folder.blobs(algorithmOf(digest)), files);
}

/** Ends once, and not before its files are made; what can't be tidied up now is left to a sweep. */
function makeEnd(
  ready: Promise<unknown>,
  journal: JournalWriter,
  endLease: () => Promise<void>,
  onFailure: (error: unknown) => void,
): (work: () => Promise<void>) => Promise<void> {
  let isEnded = false;
  return async (work) => {
    if (isEnded) return;
    isEnded = true;
    await ready.catch(() => undefined);
    await work().catch(onFailure);
    await journal.close().catch(onFailure);
    await endLease();
  };
}

async function attempt(
  digest: string,
  work: () => Promise<void>,
  endLease: () => Promise<void>,
  onFailure: (error: unknown) => void,
): Promise<void> {
  try {
    await work();
  } catch (cause) {
    onFailure(cause);
    // What goes on is for readers of this process alone: others need not wait for its end.
    await endLease();
    const message = `${digest} can't be stored: ${messageOf(cause)}`;
    throw new StorageError('STORAGE_FAILED', message, { cause });
  }
}
