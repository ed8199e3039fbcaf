/** Memory that answers are sent from, a piece at a time. */
export interface PieceBuffers {
  /**
   * For at most `bytes`; `large` for a reader that has proven fast, as long as there is such a
   * buffer.
   */
  lend(bytes: number, kind: 'small' | 'large'): LentBuffer;
}

export interface LentBuffer {
  readonly bytes: Buffer;
  /** `reusable`: neither we nor the system read from it or write to it any more. */
  giveBack(state: 'reusable' | 'maybe in use'): void;
}

const kibibyte = 1024;
const smallBytes = 128 * kibibyte;
/** Fewer system calls; so few of them that stalled readers may hold them all. */
const largeBytes = 1024 * kibibyte;
const maxLarge = 16;
/** Small ones that are kept for the next. */
const maxSpare = 64;
/** Pieces so small that a buffer of their own is cheaper. */
const tinyBytes = 16 * kibibyte;

export function makePieceBuffers(): PieceBuffers {
  const spareSmall: Buffer[] = [];
  const spareLarge: Buffer[] = [];
  let lentLarge = 0;
  return {
    lend(bytes, kind) {
      if (bytes <= tinyBytes)
        return { bytes: Buffer.allocUnsafe(bytes), giveBack: () => undefined };
      const isLarge = kind === 'large' && bytes > smallBytes && lentLarge < maxLarge;
      const spare = isLarge ? spareLarge : spareSmall;
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(isLarge ? largeBytes : smallBytes);
      if (isLarge) lentLarge += 1;
      return {
        bytes: buffer.subarray(0, bytes),
        giveBack(state) {
          if (isLarge) lentLarge -= 1;
          if (state === 'reusable' && spare.length < maxSpare) spare.push(buffer);
        },
      };
    },
  };
}
