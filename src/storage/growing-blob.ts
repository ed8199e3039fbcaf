import { type GrowingBytes, makeGrowingBytes } from './growing-bytes.ts';

/** Content that is coming in, as its readers see it. */
export interface GrowingBlob {
  readonly size: number;
  /** Bytes that have come. */
  readonly bytes: number;
  readonly readers: ReadonlySet<GrowthReader>;
  readonly source: GrowingBytes;
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
  /** Calls back once, with the next change. */
  whenMore(callback: () => void): void;
  /** Called whenever a reader has come on, come or gone. */
  onReaders: () => void;
}

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
  const changed = (): void => {
    const callbacks = waiting;
    waiting = [];
    for (const callback of callbacks) callback();
  };
  const growing: GrowingBlob = {
    size,
    readers,
    source: makeGrowingBytes(),
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
    whenMore: (callback) => void waiting.push(callback),
  };
  return growing;
}
