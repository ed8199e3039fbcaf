import { derTags } from './der.ts';
import { encodeDer } from './der-writer.ts';
import { EnvelopeError } from './envelope-error.ts';

const maxDepth = 24;

const constructed = 0x20;
const indefinite = 0x80;
const octetString = derTags.octetString;

/**
 * The DER of BER (X.690, clause 8) that differs from it in two ways, which authorities use when
 * they write a token as it comes: indefinite lengths, and octet strings in pieces. Everything else
 * is copied as it is, for a strict reader to judge. The first encoding of an element that is found,
 * to its end; throws `EnvelopeError`, also for more than `maxBytes` or 24 levels.
 */
export function normalizeBer(untrusted: Uint8Array, maxBytes: number): Uint8Array {
  if (untrusted.length > maxBytes) throw malformed(`it is larger than ${maxBytes} bytes`);
  const { der, end } = readElement(untrusted, 0, 1);
  if (end !== untrusted.length) throw malformed('there are bytes after the end');
  return der;
}

interface Normalized {
  readonly tag: number;
  readonly der: Uint8Array;
  /** Where the next element begins. */
  readonly end: number;
}

interface Head {
  readonly tag: number;
  readonly contentStart: number;
  /** undefined where the end is marked by contents of its own. */
  readonly contentEnd: number | undefined;
}

function readElement(bytes: Uint8Array, start: number, depth: number): Normalized {
  if (depth > maxDepth) throw malformed(`deeper than ${maxDepth} levels`);
  const { tag, contentStart, contentEnd } = readHead(bytes, start);
  if ((tag & constructed) === 0) {
    const end = contentEnd ?? 0;
    return { tag, der: bytes.subarray(start, end), end };
  }
  const { parts, end } = readParts(bytes, contentStart, contentEnd, depth);
  if (tag === (octetString | constructed)) {
    return { tag: octetString, der: encodeDer(octetString, ...parts.map(pieceOf)), end };
  }
  return { tag, der: encodeDer(tag, ...parts.map(({ der }) => der)), end };
}

function readParts(
  bytes: Uint8Array,
  start: number,
  contentEnd: number | undefined,
  depth: number,
): { readonly parts: readonly Normalized[]; readonly end: number } {
  const parts: Normalized[] = [];
  let at = start;
  while (at !== contentEnd) {
    if (contentEnd === undefined && bytes[at] === 0 && bytes[at + 1] === 0) {
      return { parts, end: at + 2 };
    }
    const part = readElement(bytes, at, depth + 1);
    if (contentEnd !== undefined && part.end > contentEnd) throw malformed('a length is wrong');
    parts.push(part);
    at = part.end;
  }
  return { parts, end: at };
}

function readHead(bytes: Uint8Array, start: number): Head {
  const tag = bytes[start];
  const initial = bytes[start + 1];
  if (tag === undefined || initial === undefined) throw malformed('an element is cut off');
  if ((tag & 0x1f) === 0x1f || tag === 0) throw malformed('a tag is not one that is used here');
  if (initial === indefinite) {
    if ((tag & constructed) === 0) throw malformed('a primitive value has no length');
    return { tag, contentStart: start + 2, contentEnd: undefined };
  }
  const { length, contentStart } = readLength(bytes, start + 1, initial);
  const contentEnd = contentStart + length;
  if (contentEnd > bytes.length) throw malformed('a length is wrong');
  return { tag, contentStart, contentEnd };
}

/** X.690, clause 10.1: definite, in the fewest bytes. */
function readLength(
  bytes: Uint8Array,
  at: number,
  initial: number,
): { readonly length: number; readonly contentStart: number } {
  if (initial < 0x80) return { length: initial, contentStart: at + 1 };
  const size = initial & 0x7f;
  const contentStart = at + 1 + size;
  if (size > 4) throw malformed('a length is wrong');
  const length = bytes.subarray(at + 1, contentStart).reduce((sum, byte) => sum * 256 + byte, 0);
  if (length < 0x80 || length < 256 ** (size - 1)) throw malformed('a length is wrong');
  return { length, contentStart };
}

/** X.690, clause 8.7.3: the pieces are octet strings themselves. */
function pieceOf({ tag, der }: Normalized): Uint8Array {
  if (tag !== octetString) throw malformed('a piece of an octet string is none itself');
  const initial = der[1] ?? 0;
  return der.subarray(initial < 0x80 ? 2 : 2 + (initial & 0x7f));
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('CMS_MALFORMED', `not BER: ${why}`);
}
