import { EnvelopeError } from './envelope-error.ts';

/** Plain data out of CBOR. Byte strings are views into the input; tags are kept as they stand. */
export type Cbor =
  number | bigint | string | boolean | null | Uint8Array | readonly Cbor[] | CborMap | CborTag;

export type CborMap = ReadonlyMap<CborLabel, Cbor>;
/** What COSE allows as a key (RFC 9052, section 1.4); bigint where a number is not exact. */
export type CborLabel = number | bigint | string;

export interface CborTag {
  readonly tag: number | bigint;
  readonly content: Cbor;
}

export interface CborLimits {
  readonly maxBytes: number;
  /** Arrays, maps and tags within each other; 4 unless told. */
  readonly maxDepth?: number;
}

/**
 * Reads CBOR (RFC 8949) in the one encoding that its section 4.2.1 asks for, but for the order of
 * keys: definite lengths, integers in the fewest bytes, unique keys, UTF-8 that is valid, nothing
 * after the end. No floats, no `undefined`, no other simple values. Throws `EnvelopeError`.
 */
export function readCbor(untrusted: Uint8Array, limits: CborLimits): Cbor {
  const { maxBytes, maxDepth = 4 } = limits;
  if (untrusted.length > maxBytes) throw malformed(`larger than ${maxBytes} bytes`);
  const reader: Reader = { bytes: untrusted, offset: 0, maxDepth };
  const value = readItem(reader, 0);
  if (reader.offset !== untrusted.length) throw malformed('there are bytes after the end');
  return value;
}

export function isCborMap(value: Cbor | undefined): value is CborMap {
  return value instanceof Map;
}

export function isCborTag(value: Cbor | undefined): value is CborTag {
  return typeof value === 'object' && value !== null && 'tag' in value;
}

export function isCborArray(value: Cbor | undefined): value is readonly Cbor[] {
  return Array.isArray(value);
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly maxDepth: number;
  offset: number;
}

type MajorType = 0 | 1 | 2 | 3 | 4 | 5 | 6;

const readers: Readonly<
  Record<MajorType, (reader: Reader, argument: number | bigint, depth: number) => Cbor>
> = {
  0: (_, argument) => argument,
  1: (_, argument) => (typeof argument === 'bigint' ? -1n - argument : -1 - argument),
  2: readBytes,
  3: (reader, length) => decodeText(readBytes(reader, length)),
  4: (reader, count, depth) => readArray(reader, checkCount(reader, count, 1), depth),
  5: (reader, count, depth) => readMap(reader, checkCount(reader, count, 2), depth),
  6: (reader, tag, depth) => ({ tag, content: readItem(reader, depth) }),
};

function readItem(reader: Reader, depth: number): Cbor {
  const initial = readByte(reader);
  const major = initial >> 5;
  if (major === 7) return readSimple(initial);
  const isContainer = major >= 4;
  if (isContainer && depth === reader.maxDepth) {
    throw malformed(`deeper than ${reader.maxDepth} levels`);
  }
  const argument = readArgument(reader, initial & 0x1f);
  return readers[major as MajorType](reader, argument, isContainer ? depth + 1 : depth);
}

function readSimple(initial: number): Cbor {
  if (initial === 0xf4) return false;
  if (initial === 0xf5) return true;
  if (initial === 0xf6) return null;
  throw malformed('a float, a break or an unknown simple value');
}

/** RFC 8949, section 3: small in the initial byte itself, or in the 1, 2, 4 or 8 behind it. */
function readArgument(reader: Reader, info: number): number | bigint {
  if (info < 24) return info;
  if (info > 27) throw malformed('an indefinite length or a reserved argument');
  const width = 2 ** (info - 24);
  const bytes = readBytes(reader, width);
  const value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const smallest = width === 1 ? 24n : 1n << BigInt(width * 4);
  if (value < smallest) throw malformed('an integer or length in more bytes than it needs');
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function readArray(reader: Reader, count: number, depth: number): readonly Cbor[] {
  const items: Cbor[] = [];
  for (let index = 0; index < count; index += 1) items.push(readItem(reader, depth));
  return items;
}

function readMap(reader: Reader, count: number, depth: number): CborMap {
  const entries = new Map<CborLabel, Cbor>();
  for (let index = 0; index < count; index += 1) {
    const label = readItem(reader, depth);
    if (typeof label !== 'number' && typeof label !== 'bigint' && typeof label !== 'string') {
      throw malformed('a key is neither integer nor text');
    }
    if (entries.has(label)) throw malformed('a key stands twice');
    entries.set(label, readItem(reader, depth));
  }
  return entries;
}

/** Refuses a count that the bytes that are left can't hold, before anything is made for it. */
function checkCount(reader: Reader, count: number | bigint, bytesEach: number): number {
  const left = reader.bytes.length - reader.offset;
  if (count > left / bytesEach) throw malformed('cut off');
  return Number(count);
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.offset];
  if (byte === undefined) throw malformed('cut off');
  reader.offset += 1;
  return byte;
}

function readBytes(reader: Reader, untrustedLength: number | bigint): Uint8Array {
  const length = checkCount(reader, untrustedLength, 1);
  const start = reader.offset;
  reader.offset += length;
  return reader.bytes.subarray(start, reader.offset);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new EnvelopeError('CBOR_MALFORMED', 'not strict CBOR: a text is not UTF-8', { cause });
  }
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('CBOR_MALFORMED', `not strict CBOR: ${why}`);
}
