/** A set of names in hexadecimal digits, in a fixed amount of memory. */
export interface DigestBits {
  add(name: string): void;
  /** False: it was not added. True: it was, or one that begins as it does. */
  mayHave(name: string): boolean;
}

/** A bit for each beginning of so many digits: 2 MiB for 6 of them, 32 MiB for 7. */
export function makeDigestBits(hexDigits: 6 | 7): DigestBits {
  const bits = new Uint8Array(16 ** hexDigits / 8);
  // What is no digest has no place of its own, and is nothing that is asked for.
  const placeOf = (name: string): number => {
    const beginning = name.slice(0, hexDigits);
    return /^[0-9a-f]+$/.test(beginning) ? Number.parseInt(beginning, 16) : 0;
  };
  return {
    add(name) {
      const at = placeOf(name);
      bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
    },
    mayHave(name) {
      const at = placeOf(name);
      return ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
    },
  };
}
