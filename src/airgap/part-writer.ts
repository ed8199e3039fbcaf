import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import { type FileSystem, unlessAbsent } from '../storage/file-system.ts';
import type { StoreFolder } from '../storage/store-folder.ts';
import { writeAll } from '../storage/write-all.ts';
import { AirgapError } from './airgap-error.ts';
import { type HeldBlobs, type HeldContent, hasDigest } from './held-blobs.ts';
import { intoStore } from './file-failure.ts';
import type { PlannedPiece } from './import-plan.ts';
import type { ImportFiles } from './store-files.ts';

/**
 * Puts pieces of blobs together, each in a file of its own, which gets its name among the blobs
 * once it has the hash. One blob is open at a time; the bytes of one that comes in one go are
 * hashed as they come.
 */
export interface PartWriter {
  /** Bytes of the piece, from `from` on (counted from the piece's own beginning), in order. */
  write(piece: PlannedPiece, from: number, bytes: Uint8Array): Promise<void>;
  /** The piece is over, or can't be had: then what came of it counts for nothing. */
  end(piece: PlannedPiece, isWhole: boolean): Promise<void>;
  /** What was written, also of a blob that goes on in another volume, survives a power cut then. */
  settle(): Promise<void>;
  /** Lets go of what is open. */
  close(): Promise<void>;
  /** Of a blob all of whose pieces are there: hashes it, and gives it its name. */
  complete(content: HeldContent): Promise<void>;
}

interface PartDependencies {
  readonly work: ImportFiles;
  readonly folder: StoreFolder;
  readonly held: HeldBlobs;
  readonly files: FileSystem;
}

interface OpenPart {
  readonly digest: string;
  readonly handle: FileHandle;
  /** Undefined once its bytes do not come in order. */
  hash: Hash | undefined;
  /** Up to where the hash has come. */
  hashed: number;
}

/** A blob that is being made to last, and gets its name then. */
interface Finishing {
  readonly digest: string;
  readonly done: Promise<void>;
}

/** Blobs that are being made to last at a time. */
const maxFinishing = 4;

export function makePartWriter(dependencies: PartDependencies): PartWriter {
  return new PartFiles(dependencies);
}

class PartFiles implements PartWriter {
  readonly #dependencies: PartDependencies;
  #open: OpenPart | undefined;
  #finishing: Finishing[] = [];

  constructor(dependencies: PartDependencies) {
    this.#dependencies = dependencies;
  }

  write(piece: PlannedPiece, from: number, bytes: Uint8Array): Promise<void> {
    return this.#into(piece, async () => {
      const part = await this.#openPart(piece);
      const position = piece.at + from;
      const writing = writeAll(part.handle, [bytes], position);
      if (part.hashed === position && part.hash !== undefined) {
        part.hash.update(bytes);
        part.hashed += bytes.byteLength;
      } else {
        part.hash = undefined;
      }
      await writing;
    });
  }

  end(piece: PlannedPiece, isWhole: boolean): Promise<void> {
    return this.#into(piece, async () => {
      const part = this.#open;
      if (part?.digest !== piece.digest) return;
      if (!isWhole) return this.#abandon(piece, part);
      if (part.hash === undefined || part.hashed !== piece.size) return;
      if (part.hash.digest('hex') !== encodedOf(piece.digest)) {
        await this.#letGo('as it is');
        throw await this.#refuse(piece);
      }
      this.#open = undefined;
      await this.#finishMeanwhile(piece, part.handle);
    });
  }

  async settle(): Promise<void> {
    const { work } = this.#dependencies;
    await Promise.all(this.#finishing.map(({ done }) => done));
    this.#finishing = [];
    await intoStore(work.parts, async () => this.#open?.handle.datasync());
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#finishing.map(({ done }) => done));
    this.#finishing = [];
    await this.#letGo('as it is');
  }

  complete(content: HeldContent): Promise<void> {
    const { held, work, files } = this.#dependencies;
    return this.#into(content, async () => {
      if (await held.has(content)) return;
      const part = work.part(content.digest);
      const { size } = await files.stat(part);
      const isRight = size === content.size && (await hasDigest(part, content.digest, files));
      if (!isRight) throw await this.#refuse(content);
      await this.#giveName(content);
    });
  }

  /** The disk is at work on what is whole while the next is read and hashed. */
  async #finishMeanwhile(content: HeldContent, handle: FileHandle): Promise<void> {
    const done = this.#into(content, async () => {
      try {
        await handle.truncate(content.size);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await this.#giveName(content);
    });
    // Whoever settles, or has one more, hears of it.
    done.catch(() => undefined);
    this.#finishing.push({ digest: content.digest, done });
    if (this.#finishing.length > maxFinishing) await this.#finishing.shift()?.done;
  }

  async #openPart(piece: PlannedPiece): Promise<OpenPart> {
    if (this.#open?.digest === piece.digest) return this.#open;
    await this.#letGo('for good');
    // An index that names it twice must not have its file written again on the way to its name.
    await this.#finishing.find(({ digest }) => digest === piece.digest)?.done;
    const { work, files } = this.#dependencies;
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const handle = await files.open(work.part(piece.digest), flags, 0o600);
    const hash = piece.at === 0 ? createHash(algorithmOf(piece.digest)) : undefined;
    this.#open = { digest: piece.digest, handle, hash, hashed: 0 };
    return this.#open;
  }

  async #abandon(piece: PlannedPiece, part: OpenPart): Promise<void> {
    part.hash = undefined;
    // Other pieces of it may be whole, which lie in other volumes.
    if (piece.length < piece.size) return;
    await this.#letGo('as it is');
    await this.#remove(piece);
  }

  async #letGo(how: 'for good' | 'as it is'): Promise<void> {
    const part = this.#open;
    this.#open = undefined;
    try {
      if (how === 'for good') await part?.handle.datasync();
    } finally {
      await part?.handle.close();
    }
  }

  async #giveName({ digest }: HeldContent): Promise<void> {
    const { work, folder, files } = this.#dependencies;
    await files.rename(work.part(digest), folder.blob(digest));
  }

  async #remove({ digest }: HeldContent): Promise<void> {
    const { work, files } = this.#dependencies;
    await unlessAbsent(files.unlink(work.part(digest)));
  }

  async #refuse(content: HeldContent): Promise<AirgapError> {
    await this.#remove(content);
    return new AirgapError(
      'CONTENT_MISMATCH',
      `the bundle has other bytes for ${content.digest} than it names, although their chunks are` +
        ' as they were written: it was exported so',
    );
  }

  #into<T>({ digest }: HeldContent, doing: () => Promise<T>): Promise<T> {
    return intoStore(this.#dependencies.folder.blob(digest), doing);
  }
}
