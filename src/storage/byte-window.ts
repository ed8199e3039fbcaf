/** The last bytes of a stream, in memory; offsets are those of the whole content. */
export interface ByteWindow {
  /** Where the first byte stood that ever came into it. */
  readonly origin: number;
  /** Of the first byte that is still in it. */
  readonly start: number;
  readonly end: number;
  push(chunk: Uint8Array): void;
  /** Forgets what lies before the offset; a little of it may stay. */
  dropBefore(offset: number): void;
  /** Copies what is there from `position` on; throws where that was forgotten. */
  read(into: Uint8Array, position: number): number;
}

/** Bytes are copied into blocks of one size, so that tiny chunks cost no object each. */
const blockBytes = 64 * 1024;

export function makeByteWindow(origin: number): ByteWindow {
  const blocks: Buffer[] = [];
  let start = origin;
  let end = origin;
  return {
    origin,
    get start() {
      return start;
    },
    get end() {
      return end;
    },
    push(chunk) {
      for (let taken = 0; taken < chunk.byteLength;) {
        const at = (end - origin) % blockBytes;
        if (at === 0) blocks.push(Buffer.allocUnsafeSlow(blockBytes));
        const part = chunk.subarray(taken, taken + blockBytes - at);
        blocks.at(-1)?.set(part, at);
        taken += part.byteLength;
        end += part.byteLength;
      }
    },
    dropBefore(offset) {
      while (start + blockBytes <= Math.min(offset, end)) {
        blocks.shift();
        start += blockBytes;
      }
    },
    read(into, position) {
      if (position < start) throw new RangeError(`the bytes at ${position} were forgotten`);
      const length = Math.min(into.byteLength, end - position);
      for (let copied = 0; copied < length;) {
        const at = position + copied - start;
        const block = blocks[Math.floor(at / blockBytes)] ?? Buffer.alloc(0);
        const from = at % blockBytes;
        const part = block.subarray(from, from + length - copied);
        into.set(part, copied);
        copied += part.byteLength;
      }
      return Math.max(0, length);
    },
  };
}
