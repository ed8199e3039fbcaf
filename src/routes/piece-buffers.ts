/** Memory that answers are sent from, a piece at a time. */
export interface PieceBuffers {
  /** A large one for a fast reader, as long as there are some; otherwise a small one. */
  lend(kind: 'small' | 'large'): LentBuffer;
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

export function makePieceBuffers(): PieceBuffers {
  const spareSmall: Buffer[] = [];
  const spareLarge: Buffer[] = [];
  let lentLarge = 0;
  return {
    lend(kind) {
      const isLarge = kind === 'large' && lentLarge < maxLarge;
      const spare = isLarge ? spareLarge : spareSmall;
      const bytes = spare.pop() ?? Buffer.allocUnsafeSlow(isLarge ? largeBytes : smallBytes);
      if (isLarge) lentLarge += 1;
      return {
        bytes,
        giveBack(state) {
          if (isLarge) lentLarge -= 1;
          if (state === 'reusable' && spare.length < maxSpare) spare.push(bytes);
        },
      };
    },
  };
}
