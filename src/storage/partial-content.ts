import type { FileHandle } from 'node:fs/promises';
import type { ContentName } from './blob-store.ts';
import { type ContentHash, makeContentHash } from './content-hash.ts';
import { type FileSystem, unlessAbsent } from './file-system.ts';
import {
  type Journal,
  parseJournal,
  renderCheckpoint,
  renderHead,
  renderValidator,
} from './journal.ts';
import type { PartialFiles, StoreFolder } from './store-folder.ts';

/** The file of a blob that is not complete yet, and what is known of it. */
export interface PartialContent {
  /** A new one's are being made still; rejects where they can't be. */
  readonly opened: Promise<OpenedPartial>;
  /** Of all bytes in the file. */
  readonly hash: ContentHash;
  readonly validator: string | undefined;
}

export interface OpenedPartial {
  readonly part: FileHandle;
  readonly journal: FileHandle;
}

export interface PartialDependencies {
  readonly folder: StoreFolder;
  readonly files: FileSystem;
  /** The machine's start. */
  readonly boot: string;
}

/**
 * What an earlier try left, its bytes hashed again, or a new, empty file: the owner's alone. Whoever
 * is to fetch all of it need not wait for the file.
 */
export async function openPartial(
  content: ContentName,
  owner: string,
  dependencies: PartialDependencies,
): Promise<PartialContent> {
  const own = dependencies.folder.partial(content.digest, owner);
  const inherited = await inherit(content, own, dependencies);
  if (inherited !== undefined) return inherited;
  const opened = makeNew(content, own, dependencies);
  // Whoever uses it sees why it failed.
  opened.catch(() => undefined);
  return { opened, hash: makeContentHash(content), validator: undefined };
}

async function makeNew(
  { size }: ContentName,
  own: PartialFiles,
  { files, boot }: PartialDependencies,
): Promise<OpenedPartial> {
  // A new file, never the old one cut short: somebody may have read on from its bytes.
  await removePartial(own, files);
  const part = await files.open(own.part, 'wx+', 0o600);
  return { part, journal: await openJournal(own, renderHead(size, boot), part, files) };
}

export async function removePartial(
  { part, journal }: PartialFiles,
  files: FileSystem,
): Promise<void> {
  await unlessAbsent(files.unlink(part));
  await unlessAbsent(files.unlink(journal));
}

async function inherit(
  content: ContentName,
  own: PartialFiles,
  { folder, files, boot }: PartialDependencies,
): Promise<PartialContent | undefined> {
  const left = folder.partial(content.digest, undefined);
  // Whoever can rename it has it alone.
  const isOurs = await unlessAbsent(files.rename(left.part, own.part).then(() => true));
  if (isOurs === undefined) return undefined;
  await unlessAbsent(files.rename(left.journal, own.journal));
  const text = await unlessAbsent(files.readFile(own.journal, 'utf8'));
  const known = text === undefined ? undefined : parseJournal(text);
  if (known === undefined || known.size !== content.size) return undefined;
  const part = await files.open(own.part, 'r+');
  try {
    const hash = await rehash(part, content, known, known.boot === boot);
    if (hash !== undefined) {
      const { validator } = known;
      const lines = [
        renderHead(content.size, boot),
        validator === undefined ? '' : renderValidator(validator),
        renderCheckpoint({ length: hash.bytes, hash: hash.soFar() }),
      ].join('');
      const opened = { part, journal: await openJournal(own, lines, part, files) };
      return { opened: Promise.resolve(opened), hash, validator };
    }
  } catch (error) {
    await part.close();
    throw error;
  }
  await part.close();
  return undefined;
}

/** Closes the part too if it fails. */
async function openJournal(
  own: PartialFiles,
  lines: string,
  part: FileHandle,
  files: FileSystem,
): Promise<FileHandle> {
  try {
    await files.writeFile(own.journal, lines, { mode: 0o600 });
    return await files.open(own.journal, 'a');
  } catch (error) {
    await part.close();
    throw error;
  }
}

const pieceBytes = 1024 * 1024;

/**
 * Hashes what is in the file, and compares it at every checkpoint; undefined if it is not what was
 * written. Of what came after the last checkpoint, all is there as long as the machine did not
 * stop: the final hash will say whether it is right. After a power cut it is cut off.
 */
async function rehash(
  part: FileHandle,
  content: ContentName,
  { checkpoints }: Journal,
  sameBoot: boolean,
): Promise<ContentHash | undefined> {
  const { size: fileBytes } = await part.stat();
  if (fileBytes > content.size) return undefined;
  const hash = makeContentHash(content);
  const buffer = Buffer.allocUnsafe(pieceBytes);
  const hashUpTo = async (length: number): Promise<boolean> => {
    while (hash.bytes < length) {
      const wanted = Math.min(pieceBytes, length - hash.bytes);
      const { bytesRead } = await part.read(buffer, 0, wanted, hash.bytes);
      if (bytesRead === 0) return false;
      hash.update(buffer.subarray(0, bytesRead));
    }
    return true;
  };
  for (const checkpoint of checkpoints) {
    if (!(checkpoint.length > hash.bytes && checkpoint.length <= fileBytes)) continue;
    if (!(await hashUpTo(checkpoint.length)) || hash.soFar() !== checkpoint.hash) return undefined;
  }
  if (sameBoot) return (await hashUpTo(fileBytes)) ? hash : undefined;
  await part.truncate(hash.bytes);
  return hash;
}
