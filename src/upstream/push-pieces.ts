/** A stream that is taken in parts of known lengths. */
export interface Pieces {
  /** The next `bytes`; ends early only where the stream does. */
  take(bytes: number): AsyncGenerator<Uint8Array>;
  /** What reading failed with, if it did: none of the other side's fault. */
  failure(): { readonly error: unknown } | undefined;
  close(): Promise<void>;
}

export function openPieces(source: AsyncIterable<Uint8Array>): Pieces {
  const pieces = source[Symbol.asyncIterator]();
  let rest: Uint8Array | undefined;
  let failure: { readonly error: unknown } | undefined;
  const next = async (): Promise<Uint8Array | undefined> => {
    const held = rest;
    rest = undefined;
    if (held !== undefined) return held;
    try {
      const { done, value } = await pieces.next();
      return done === true ? undefined : value;
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  return {
    async *take(bytes) {
      let left = bytes;
      while (left > 0) {
        const piece = await next();
        if (piece === undefined) return;
        if (piece.byteLength > left) rest = piece.subarray(left);
        const taken = piece.subarray(0, left);
        left -= taken.byteLength;
        yield taken;
      }
    },
    failure: () => failure,
    async close() {
      rest = undefined;
      await pieces.return?.();
    },
  };
}
