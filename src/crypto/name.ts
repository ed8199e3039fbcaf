import {
  childrenOf,
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readObjectIdentifier,
} from './der.ts';
import { EnvelopeError } from './envelope-error.ts';
import type { Name, NameAttribute } from './x509.ts';

// RFC 4514, section 3: the short names that every implementation knows.
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
};

/** Reads a distinguished name (RFC 5280, section 4.1.2.4). */
export function readName(element: DerElement | undefined, what: string): Name {
  const sequence = expectTag(element, derTags.sequence, what);
  const rdns = childrenOf(sequence).map((rdn) => {
    const attributes = expectChildren(rdn, `a part of ${what}`, derTags.set).map(readAttribute);
    if (attributes.length === 0) throw malformed(`a part of ${what} is empty`);
    return attributes;
  });
  return {
    der: sequence.bytes,
    rdns: rdns.map((rdn) => rdn.map(({ attribute }) => attribute)),
    // RFC 4514, section 2.1: in reverse.
    text: rdns
      .map((rdn) => rdn.map(({ text }) => text).join('+'))
      .toReversed()
      .join(','),
  };
}

interface ReadAttribute {
  readonly attribute: NameAttribute;
  readonly text: string;
}

function readAttribute(element: DerElement): ReadAttribute {
  const [type, valueElement, ...rest] = expectChildren(element, 'an attribute of a name');
  const oid = readObjectIdentifier(type, 'the type of an attribute of a name');
  if (valueElement === undefined || rest.length > 0) throw malformed(`attribute ${oid} is no pair`);
  const value = readString(valueElement, oid);
  const shortName = shortNames[oid];
  if (shortName === undefined) {
    // RFC 4514, section 2.4: the value of a type without a short name is its encoding in hex.
    const hex = Buffer.from(valueElement.bytes).toString('hex');
    return { attribute: { oid, value }, text: `${oid}=#${hex}` };
  }
  return { attribute: { oid, shortName, value }, text: `${shortName}=${escape(value)}` };
}

const readers: Readonly<Record<number, (bytes: Uint8Array) => string>> = {
  0x0c: (bytes) => decode('utf-8', bytes), // UTF8String
  0x12: readAscii, // NumericString
  0x13: readAscii, // PrintableString
  // T.61 as nobody implements it: everyone writes Latin-1.
  0x14: (bytes) => Buffer.from(bytes).toString('latin1'),
  0x16: readAscii, // IA5String
  0x1a: readAscii, // VisibleString
  0x1c: readUniversal,
  0x1e: (bytes) => decode('utf-16be', bytes), // BMPString
};

function readString({ tag, content }: DerElement, oid: string): string {
  const value = readers[tag]?.(content);
  if (value === undefined) throw malformed(`the value of attribute ${oid} is no string`);
  return value;
}

function readAscii(bytes: Uint8Array): string {
  if (bytes.some((byte) => byte > 0x7f)) throw malformed('a string has a byte that is not ASCII');
  return Buffer.from(bytes).toString('latin1');
}

function readUniversal(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0) throw malformed('a UniversalString is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += 4) {
    const point = view.getUint32(offset);
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    if (point > 0x10ffff || isSurrogate)
      throw malformed('a UniversalString has no character there');
    text += String.fromCodePoint(point);
  }
  return text;
}

function decode(encoding: 'utf-8' | 'utf-16be', bytes: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EnvelopeError('CERTIFICATE_MALFORMED', `a string is not ${encoding}`, { cause });
  }
}

const special = new Set('\\"+,;<>');
const unseen = /^(?:[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs})$/u;

/** RFC 4514, section 2.4; what can't be seen is escaped too, so that no name looks like another. */
function escape(value: string): string {
  const characters = Array.from(value);
  const last = characters.length - 1;
  const escaped = characters.map((character, index) => {
    if (special.has(character)) return `\\${character}`;
    if (character === '#' && index === 0) return '\\#';
    if (character === ' ' && (index === 0 || index === last)) return '\\ ';
    if (!unseen.test(character)) return character;
    return Buffer.from(character).toString('hex').replace(/../g, '\\$&');
  });
  return escaped.join('');
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
