import { EnvelopeError } from './envelope-error.ts';

/** One element of DER (X.690, clause 10): views into the bytes that it was read from. */
export interface DerElement {
  /** The identifier octet: class, constructed bit and number. */
  readonly tag: number;
  /** Identifier, length and content. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Elements weigh a hundred times what two bytes do; nothing real has so many side by side. */
const maxChildren = 4096;
const maxIdentifierBytes = 64;

/** Reads the one element that the bytes are; throws `EnvelopeError` if more or less is there. */
export function readDer(untrusted: Uint8Array): DerElement {
  const element = readElementAt(untrusted, 0);
  if (element.bytes.length !== untrusted.length) throw malformed('there are bytes after the end');
  return element;
}

/** The elements that a constructed one holds, in order; throws for more than 4096. */
export function childrenOf(parent: DerElement): readonly DerElement[] {
  const children: DerElement[] = [];
  for (let offset = 0; offset < parent.content.length;) {
    if (children.length === maxChildren) throw malformed(`more than ${maxChildren} elements`);
    const child = readElementAt(parent.content, offset);
    children.push(child);
    offset += child.bytes.length;
  }
  return children;
}

/** The children of a SEQUENCE, or of another constructed type; `what` names it in the error. */
export function expectChildren(
  element: DerElement | undefined,
  what: string,
  tag: number = derTags.sequence,
): readonly DerElement[] {
  return childrenOf(expectTag(element, tag, what));
}

export function expectTag(element: DerElement | undefined, tag: number, what: string): DerElement {
  if (element?.tag !== tag) throw malformed(`${what} is missing or of another type`);
  return element;
}

/** X.690, clause 11.1: TRUE is 0xFF. */
export function readBoolean({ content }: DerElement): boolean {
  const [value] = content;
  if (content.length !== 1 || (value !== 0 && value !== 0xff)) throw malformed('not a BOOLEAN');
  return value === 0xff;
}

/** The bytes of a BIT STRING of whole bytes. */
export function readWholeBitString(element: DerElement | undefined, what: string): Uint8Array {
  const { content } = expectTag(element, derTags.bitString, what);
  if (content.length < 2 || content[0] !== 0) throw malformed(`${what} is not of whole bytes`);
  return content.subarray(1);
}

/**
 * Dotted decimals of an OBJECT IDENTIFIER (X.690, clause 8.19) of at most 64 bytes; each arc below
 * 2^48.
 */
export function readObjectIdentifier(element: DerElement | undefined, what: string): string {
  const { content } = expectTag(element, derTags.objectIdentifier, what);
  if (content.length > maxIdentifierBytes) {
    throw malformed(`${what} is longer than ${maxIdentifierBytes} bytes`);
  }
  const arcs: number[] = [];
  let arc = 0;
  let started = false;
  for (const byte of content) {
    if (!started && byte === 0x80) throw malformed(`${what} has an arc with a leading zero`);
    arc = arc * 128 + (byte & 0x7f);
    if (arc >= 2 ** 48) throw malformed(`${what} has an arc that is too large`);
    started = byte >= 0x80;
    if (started) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first] = arcs;
  if (first === undefined || started) throw malformed(`${what} is cut off`);
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs.slice(1)].join('.');
}

function readElementAt(bytes: Uint8Array, start: number): DerElement {
  const tag = bytes[start];
  const initial = bytes[start + 1];
  if (tag === undefined || initial === undefined) throw malformed('an element is cut off');
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag is longer than one byte');
  const lengthBytes = initial < 0x80 ? 0 : initial & 0x7f;
  const contentStart = start + 2 + lengthBytes;
  const length = lengthBytes === 0 ? initial : readLength(bytes.subarray(start + 2, contentStart));
  const end = contentStart + length;
  if (initial === 0x80 || end > bytes.length) throw malformed('a length is wrong');
  return {
    tag,
    bytes: bytes.subarray(start, end),
    content: bytes.subarray(contentStart, end),
  };
}

/** X.690, clause 10.1: definite, in the fewest bytes. */
function readLength(bytes: Uint8Array): number {
  const length = bytes.reduce((value, byte) => value * 256 + byte, 0);
  if (bytes.length > 4 || bytes[0] === 0 || length < 0x80) throw malformed('a length is wrong');
  return length;
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', `not DER: ${why}`);
}
