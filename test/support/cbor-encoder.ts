/**
 * CBOR (RFC 8949) for tests: canonical unless told otherwise, so that a test can write exactly
 * what a strict reader must refuse: integers wider than needed, indefinite lengths, duplicate
 * keys, any raw bytes.
 */
export type Cbor =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly Cbor[]
  | ReadonlyMap<Cbor, Cbor>
  | Special;

type Special = { readonly write: () => Uint8Array };

export function encodeCbor(value: Cbor): Uint8Array {
  if (value === null) return Uint8Array.of(0xf6);
  if (value === undefined) return Uint8Array.of(0xf7);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (typeof value === 'number') return encodeNumber(value);
  if (typeof value === 'bigint') return encodeInteger(value);
  if (typeof value === 'string') return withHead(3, Buffer.from(value));
  if (value instanceof Uint8Array) return withHead(2, value);
  if (value instanceof Date) return encodeCbor(tagged(1, Math.floor(value.getTime() / 1000)));
  if (Array.isArray(value)) return sequence(4, value.length, value as readonly Cbor[]);
  if (value instanceof Map) return encodeCbor(entries([...(value as Map<Cbor, Cbor>)]));
  return (value as Special).write();
}

export function tagged(tag: number, value: Cbor): Special {
  return { write: () => Buffer.concat([head(6, BigInt(tag)), encodeCbor(value)]) };
}

/** A map of exactly these pairs, duplicates and all, in this order. */
export function entries(pairs: readonly (readonly [Cbor, Cbor])[]): Special {
  return { write: () => sequence(5, pairs.length, pairs.flat()) };
}

/** Bytes as they are. */
export function raw(...bytes: readonly number[]): Special {
  return { write: () => Uint8Array.from(bytes) };
}

export function rawBytes(bytes: Uint8Array): Special {
  return { write: () => bytes };
}

/** An integer, text, bytes, list, map or tag whose head takes `argumentBytes` (1, 2, 4, 8), needed or not. */
export function wide(value: Cbor, argumentBytes: 1 | 2 | 4 | 8): Special {
  return {
    write: () => {
      const minimal = encodeCbor(value);
      const initial = minimal[0] ?? 0;
      const given = initial & 0x1f;
      const ownBytes = given < 24 ? 0 : 2 ** (given - 24);
      const argument = ownBytes === 0 ? BigInt(given) : readArgument(minimal, ownBytes);
      const rest = minimal.subarray(1 + ownBytes);
      return Buffer.concat([headOfWidth(initial >> 5, argument, argumentBytes), rest]);
    },
  };
}

/** A text, byte string (in two chunks), list or map of indefinite length. */
export function indefinite(
  value: string | Uint8Array | readonly Cbor[] | Map<Cbor, Cbor>,
): Special {
  return {
    write: () => {
      if (typeof value === 'string' || value instanceof Uint8Array) {
        const middle = Math.floor(value.length / 2);
        const chunks = [value.slice(0, middle), value.slice(middle)];
        return indefiniteSequence(typeof value === 'string' ? 3 : 2, chunks);
      }
      if (value instanceof Map) return indefiniteSequence(5, [...value].flat());
      return indefiniteSequence(4, value);
    },
  };
}

function encodeNumber(value: number): Uint8Array {
  if (Number.isSafeInteger(value)) return encodeInteger(BigInt(value));
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xfb;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function encodeInteger(value: bigint): Uint8Array {
  return value >= 0n ? head(0, value) : head(1, -1n - value);
}

function withHead(major: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([head(major, BigInt(content.length)), content]);
}

function sequence(major: number, count: number, items: readonly Cbor[]): Uint8Array {
  return Buffer.concat([head(major, BigInt(count)), ...items.map(encodeCbor)]);
}

function indefiniteSequence(major: number, items: readonly Cbor[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of((major << 5) | 31),
    ...items.map(encodeCbor),
    Uint8Array.of(0xff),
  ]);
}

function head(major: number, argument: bigint): Uint8Array {
  if (argument < 24n) return Uint8Array.of((major << 5) | Number(argument));
  const widths = [1, 2, 4, 8] as const;
  const width = widths.find((bytes) => argument < 1n << BigInt(8 * bytes));
  if (width === undefined) throw new Error('the argument does not fit into 8 bytes');
  return headOfWidth(major, argument, width);
}

function headOfWidth(major: number, argument: bigint, width: 1 | 2 | 4 | 8): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(argument, 1);
  const tail = bytes.subarray(9 - width);
  return Buffer.concat([Uint8Array.of((major << 5) | (24 + Math.log2(width))), tail]);
}

function readArgument(bytes: Uint8Array, width: number): bigint {
  return BigInt(`0x${Buffer.from(bytes.subarray(1, 1 + width)).toString('hex')}`);
}
