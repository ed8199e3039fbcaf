import type { SignedAnswer, SignedSource } from './signed-source.ts';

/** An answer in memory, verified. */
export interface Held extends SignedAnswer<unknown> {
  readonly source: SignedSource<unknown>;
  readonly byteLength: number;
  readonly fetchedAt: Date;
  /** When somebody last asked for it. */
  usedAt: Date;
}

/** A place for answers that holds so many bytes and drops what was not asked for longest. */
export interface HeldAnswers {
  get(key: string): Held | undefined;
  set(held: Held): void;
  delete(key: string): void;
  all(): readonly Held[];
}

/** What an answer weighs beside its bytes, so that small ones are bounded in number too. */
const overheadBytes = 8 * 1024;

export function makeHeldAnswers(maxBytes: number): HeldAnswers {
  const byKey = new Map<string, Held>();
  let bytes = 0;
  const remove = (key: string): void => {
    const held = byKey.get(key);
    if (held === undefined || !byKey.delete(key)) return;
    bytes -= held.byteLength + overheadBytes;
  };
  return {
    get(key) {
      const held = byKey.get(key);
      if (held === undefined) return undefined;
      byKey.delete(key);
      byKey.set(key, held);
      return held;
    },
    set(held) {
      const { key } = held.source;
      remove(key);
      byKey.set(key, held);
      bytes += held.byteLength + overheadBytes;
      for (const oldest of byKey.keys()) {
        if (bytes <= maxBytes || oldest === key) return;
        remove(oldest);
      }
    },
    delete: remove,
    all: () => [...byKey.values()],
  };
}
