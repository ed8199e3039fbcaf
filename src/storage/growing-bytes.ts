import type { ByteWindow } from './byte-window.ts';

/** Where the bytes that have come are read: on disk, and what is not there, in memory. */
export interface GrowingBytes {
  setFile(read: ReadBytes): void;
  /** From here on bytes are in memory alone, a window of them. */
  setWindow(window: ByteWindow): void;
  /** Whether the bytes from `start` on can still be read. */
  reaches(start: number): boolean;
  /** Resolves with how many bytes were read; 0 where there are none. */
  read: ReadBytes;
}

type ReadBytes = (into: Uint8Array, position: number) => Promise<number>;

export function makeGrowingBytes(): GrowingBytes {
  let readFile: ReadBytes = readNothing;
  let window: ByteWindow | undefined;
  return {
    setFile(read) {
      readFile = read;
    },
    setWindow(made) {
      window = made;
    },
    reaches: (start) =>
      window === undefined || window.start === window.origin || start >= window.start,
    read(into, position) {
      if (window === undefined) return readFile(into, position);
      if (position >= window.origin) return Promise.resolve(window.read(into, position));
      const onDisk = window.origin - position;
      return readFile(onDisk < into.byteLength ? into.subarray(0, onDisk) : into, position);
    },
  };
}

function readNothing(): Promise<number> {
  return Promise.resolve(0);
}
