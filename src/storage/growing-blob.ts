import type { ByteWindow } from './byte-window.ts';

/** Content that is coming in, as its readers see it. */
export interface GrowingBlob {
  readonly size: number;
  /** Bytes that have come. */
  readonly bytes: number;
  readonly readers: ReadonlySet<GrowthReader>;
  /** Where what has come is read. */
  setBytes(reads: ReadBytes): void;
  /** From here on bytes are in memory alone, a window of them. */
  setWindow(window: ByteWindow): void;
  grow(bytes: number): void;
  /** All bytes are here, and have the digest. */
  verify(): void;
  fail(error: unknown): void;

  attach(reader: GrowthReader): void;
  /** The reader has what lies before `position`. */
  moved(reader: GrowthReader, position: number): void;
  detach(reader: GrowthReader): void;
  /** Bytes that may be given from `position` up to `end`; throws what the growth failed with. */
  ready(position: number, end: number): number | 'end';
  readonly failure: { readonly error: unknown } | undefined;
  readonly isVerified: boolean;
  /** Whether the bytes from `start` on can still be read. */
  reaches(start: number): boolean;
  read(into: Uint8Array, position: number): Promise<number>;
  /** Calls back once, with the next change. */
  whenMore(callback: () => void): void;
  /** Called whenever a reader has come on, come or gone. */
  onReaders: () => void;
}

export type ReadBytes = (into: Uint8Array, position: number) => Promise<number>;

export interface GrowthReader {
  /** Offset of the next byte that it wants. */
  position: number;
  /** Ends it with an error. */
  cut(error: Error): void;
}

/** What is given only once the hash matches: no client completes wrong content. */
const withheldBytes = 64 * 1024;

export function makeGrowingBlob(size: number): GrowingBlob {
  const readers = new Set<GrowthReader>();
  let waiting: (() => void)[] = [];
  let bytes = 0;
  let isVerified = false;
  let failure: { readonly error: unknown } | undefined;
  let readBytes: ReadBytes = () => Promise.resolve(0);
  let window: ByteWindow | undefined;
  const changed = (): void => {
    const callbacks = waiting;
    waiting = [];
    for (const callback of callbacks) callback();
  };
  const growing: GrowingBlob = {
    size,
    readers,
    get bytes() {
      return bytes;
    },
    get failure() {
      return failure;
    },
    get isVerified() {
      return isVerified;
    },
    onReaders: () => undefined,
    setBytes(reads) {
      readBytes = reads;
    },
    setWindow(made) {
      window = made;
    },
    grow(now) {
      bytes = now;
      changed();
    },
    verify() {
      bytes = size;
      isVerified = true;
      changed();
    },
    fail(error) {
      failure ??= { error };
      changed();
    },
    attach(reader) {
      readers.add(reader);
      growing.onReaders();
    },
    moved(reader, position) {
      reader.position = position;
      growing.onReaders();
    },
    detach(reader) {
      if (readers.delete(reader)) growing.onReaders();
    },
    ready(position, end) {
      if (isVerified) return position < end ? end - position : 'end';
      const given = Math.min(bytes, size - withheldBytes);
      if (given > position) return given - position;
      if (failure !== undefined) throw failure.error;
      return 0;
    },
    reaches: (start) =>
      window === undefined || window.start === window.origin || start >= window.start,
    read(into, position) {
      if (window === undefined) return readBytes(into, position);
      if (position >= window.origin) return Promise.resolve(window.read(into, position));
      const onDisk = window.origin - position;
      return readBytes(onDisk < into.byteLength ? into.subarray(0, onDisk) : into, position);
    },
    whenMore: (callback) => void waiting.push(callback),
  };
  return growing;
}
