import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clock } from '../../src/kernel/clock.ts';
import { algorithmOf, type Digest, encodedOf } from '../../src/oci/digest.ts';
import type {
  BlobStore,
  ContentName,
  Followed,
  Staging,
  StoredBlob,
  StoreHealth,
  StoreUsage,
} from '../../src/storage/blob-store.ts';
import type { Reservation } from '../../src/storage/room.ts';

/** What several stores share, as several processes share a folder. */
export interface MemoryDisk {
  readonly files: Map<Digest, MemoryFile>;
  readonly partial: Map<Digest, PartialFile>;
  readonly quarantine: Map<Digest, Buffer>;
  /** Who scrubs; a test may put another one there. */
  scrub: { isHeld: boolean };
  /** Of the file system; undefined: it does not say. */
  free: StoreUsage['free'];
}

export interface MemoryFile {
  bytes: Buffer;
  lastAccess: Date;
}

interface PartialFile {
  bytes: Buffer;
  size: number;
  validator: string | undefined;
  isOwned: boolean;
}

export function makeMemoryDisk(): MemoryDisk {
  return {
    files: new Map(),
    partial: new Map(),
    quarantine: new Map(),
    scrub: { isHeld: false },
    free: undefined,
  };
}

export interface MemoryBlobStore extends BlobStore {
  readonly disk: MemoryDisk;
  /** What the store says of itself from now on. */
  setHealth(health: StoreHealth): void;
}

export interface MemoryBlobStoreOptions {
  readonly clock: Clock;
  readonly disk?: MemoryDisk;
  readonly reserve?: (bytes: number) => Promise<Reservation | undefined>;
}

const accessGrainMs = 3_600_000;

/** A blob store that keeps to its contract, in memory. */
export function makeMemoryBlobStore(options: MemoryBlobStoreOptions): MemoryBlobStore {
  const { clock, disk = makeMemoryDisk(), reserve } = options;
  const { files, partial, quarantine } = disk;
  const open = new Map<Digest, number>();
  let health: StoreHealth = { state: 'writable' };

  const countOpen = (digest: Digest, by: number): void => {
    const left = (open.get(digest) ?? 0) + by;
    if (left > 0) open.set(digest, left);
    else open.delete(digest);
  };
  const infoOf = (digest: Digest) => {
    const file = files.get(digest);
    return (
      file && {
        digest,
        size: file.bytes.length,
        lastAccess: file.lastAccess,
        isOpen: open.has(digest),
      }
    );
  };
  const openBlob = (digest: Digest, bytes: Buffer): StoredBlob => {
    let isOpen = true;
    countOpen(digest, 1);
    const close = async (): Promise<void> => {
      if (isOpen) countOpen(digest, -1);
      isOpen = false;
    };
    return {
      size: bytes.length,
      close,
      read: (start, end) => {
        const rest = pieces(bytes.subarray(start, end));
        return new Readable({
          read() {
            this.push(rest.next().value ?? null);
          },
          destroy(error, done) {
            void close();
            done(error);
          },
        });
      },
    };
  };

  return {
    disk,
    setHealth(next) {
      health = next;
    },
    async open({ digest, size }, as) {
      const file = files.get(digest);
      if (file === undefined || file.bytes.length !== size) return undefined;
      const now = clock.now();
      const isOld = now.getTime() - file.lastAccess.getTime() >= accessGrainMs;
      if (as !== 'inspection' && isOld) file.lastAccess = now;
      return openBlob(digest, file.bytes);
    },
    async begin(content) {
      if (partial.get(content.digest)?.isOwned === true) return 'taken';
      if (files.get(content.digest)?.bytes.length === content.size) return 'stored';
      const room = reserve === undefined ? { release() {} } : await reserve(content.size);
      if (room === undefined) throw new Error(`there is no room to store ${content.digest}`);
      return stage(content, disk, clock, room);
    },
    follow: async (content) => followPartial(content, disk),
    stat: async (digest) => infoOf(digest),
    async *list() {
      for (const digest of files.keys()) {
        const info = infoOf(digest);
        if (info !== undefined) yield info;
      }
    },
    async remove(digest, into = 'trash') {
      const file = files.get(digest);
      if (file === undefined) return false;
      files.delete(digest);
      if (into === 'quarantine') quarantine.set(digest, file.bytes);
      return true;
    },
    usage: async () => ({
      blobs: sumOf(files),
      partial: sumOf(partial),
      quarantined: sumOf(new Map([...quarantine].map(([digest, bytes]) => [digest, { bytes }]))),
      free: disk.free,
    }),
    health: () => health,
    sweep: async () => ({ files: 0, bytes: 0 }),
    async purgePartial({ digests }) {
      const swept = { files: 0, bytes: 0 };
      for (const [digest, file] of partial) {
        if (file.isOwned || digests?.has(digest) === false) continue;
        partial.delete(digest);
        swept.files += 1;
        swept.bytes += file.bytes.length;
      }
      return swept;
    },
    async trimQuarantine({ maxBytes }) {
      const swept = { files: 0, bytes: 0 };
      for (const [digest, bytes] of quarantine) {
        if (sumOfBytes(quarantine) <= maxBytes) break;
        quarantine.delete(digest);
        swept.files += 1;
        swept.bytes += bytes.length;
      }
      return swept;
    },
    async beginScrub() {
      if (disk.scrub.isHeld) return undefined;
      const holder = { isHeld: true };
      disk.scrub = holder;
      return {
        renew: async () => disk.scrub === holder && holder.isHeld,
        release: async () => void (holder.isHeld = false),
      };
    },
    close: async () => undefined,
  };
}

function stage(
  { digest, size }: ContentName,
  { files, partial }: MemoryDisk,
  clock: Clock,
  room: Reservation,
): Staging {
  const earlier = partial.get(digest);
  const own: PartialFile = earlier?.size === size ? earlier : { ...nothing, size };
  own.isOwned = true;
  partial.set(digest, own);
  const prefix = own.bytes;
  let passed = Buffer.alloc(0);
  let isRight = false;
  const end = (keep: boolean): void => {
    own.isOwned = false;
    if (!keep) partial.delete(digest);
    room.release();
  };
  return {
    prefixBytes: prefix.length,
    validator: own.validator,
    async noteValidator(validator) {
      own.validator = validator;
    },
    async append(chunks) {
      own.bytes = Buffer.concat([own.bytes, ...chunks]);
    },
    pass(chunk) {
      passed = Buffer.concat([passed, chunk]);
    },
    matches() {
      const all = Buffer.concat([own.bytes, passed]);
      const hash = createHash(algorithmOf(digest)).update(all).digest('hex');
      isRight = all.length === size && hash === encodedOf(digest);
      return isRight;
    },
    async read(into, position) {
      return own.bytes.copy(into, 0, position);
    },
    async commit() {
      if (!isRight || own.bytes.length !== size) throw new TypeError('other bytes');
      files.set(digest, { bytes: own.bytes, lastAccess: clock.now() });
      end(false);
    },
    keep: async () => end(own.bytes.length > 0),
    discard: async () => end(false),
    release: async () => undefined,
  };
}

const nothing: PartialFile = {
  bytes: Buffer.alloc(0),
  size: 0,
  validator: undefined,
  isOwned: true,
};

function followPartial(
  { digest, size }: ContentName,
  { files, partial }: MemoryDisk,
): Followed | undefined {
  const other = partial.get(digest);
  if (other === undefined || !other.isOwned || other.size !== size) return undefined;
  return {
    async progress() {
      if (other.isOwned) return other.bytes.length;
      return files.has(digest) ? 'stored' : 'lost';
    },
    read: async (into, position) => other.bytes.copy(into, 0, position),
    release: async () => undefined,
  };
}

function* pieces(bytes: Buffer): Generator<Buffer, undefined> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  return undefined;
}

function sumOf(files: ReadonlyMap<Digest, { readonly bytes: Buffer }>): {
  files: number;
  bytes: number;
} {
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes.length, 0);
  return { files: files.size, bytes };
}

function sumOfBytes(buffers: ReadonlyMap<Digest, Buffer>): number {
  return [...buffers.values()].reduce((sum, { length }) => sum + length, 0);
}
