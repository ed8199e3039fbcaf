import type { ByteWindow } from './byte-window.ts';

/**
 * Where the bytes that have come are read: on disk, and what is not there, in memory. The first ones
 * are in memory too, since many readers come for them at the same time.
 */
export interface GrowingBytes {
  setFile(read: ReadBytes): void;
  /** What the content begins with; the first part of it is kept. */
  setHead(chunk: Uint8Array): void;
  /** From here on bytes are in memory alone, a window of them. */
  setWindow(window: ByteWindow): void;
  /** Whether the bytes from `start` on can still be read. */
  reaches(start: number): boolean;
  /** Resolves with how many bytes were read; 0 where there are none. */
  read: ReadBytes;
}

type ReadBytes = (into: Uint8Array, position: number) => Promise<number>;

/** As much as a reader is given at first. */
const headBytes = 16 * 1024;

export function makeGrowingBytes(): GrowingBytes {
  let head: Uint8Array = new Uint8Array(0);
  let readFile: ReadBytes = readNothing;
  let window: ByteWindow | undefined;
  return {
    setFile(read) {
      readFile = read;
    },
    setHead(chunk) {
      // A copy: the chunk may be a part of something larger.
      head = new Uint8Array(chunk.subarray(0, headBytes));
    },
    setWindow(made) {
      window = made;
    },
    reaches: (start) =>
      window === undefined || window.start === window.origin || start >= window.start,
    read(into, position) {
      if (position < head.byteLength) return Promise.resolve(copyFrom(head, into, position));
      if (window === undefined) return readFile(into, position);
      if (position >= window.origin) return Promise.resolve(window.read(into, position));
      const onDisk = window.origin - position;
      return readFile(onDisk < into.byteLength ? into.subarray(0, onDisk) : into, position);
    },
  };
}

function copyFrom(head: Uint8Array, into: Uint8Array, position: number): number {
  const part = head.subarray(position, position + into.byteLength);
  into.set(part);
  return part.byteLength;
}

function readNothing(): Promise<number> {
  return Promise.resolve(0);
}
