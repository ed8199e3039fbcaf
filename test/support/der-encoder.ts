/** DER (X.690) for tests, by hand, so that no test certificate owes its shape to the reader under test. */
export type Der = Uint8Array;

export function der(tag: number, ...contents: readonly Uint8Array[]): Der {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content]);
}

export const sequence = (...items: readonly Der[]): Der => der(0x30, ...items);
/** X.690, 11.6: in the order of their encodings. */
export const set = (...items: readonly Der[]): Der => der(0x31, ...items.toSorted(Buffer.compare));
export const octets = (content: Uint8Array): Der => der(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Der =>
  der(0x03, Uint8Array.of(unused), content);
export const utf8 = (text: string): Der => der(0x0c, Buffer.from(text));
export const printable = (text: string): Der => der(0x13, Buffer.from(text, 'latin1'));
export const ia5 = (text: string): Der => der(0x16, Buffer.from(text, 'latin1'));
export const boolean = (value: boolean): Der => der(0x01, Uint8Array.of(value ? 0xff : 0));
/** `[number]` around a whole value. */
export const explicit = (number: number, value: Der): Der => der(0xa0 | number, value);
/** `[number]` in place of a primitive value's own tag. */
export const implicit = (number: number, content: Uint8Array): Der => der(0x80 | number, content);
export const nothing = (): Der => der(0x05);

export function integer(value: number | Uint8Array): Der {
  if (typeof value !== 'number') return der(0x02, value);
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return der(0x02, ...((bytes[0] ?? 0) >= 0x80 ? [Uint8Array.of(0), bytes] : [bytes]));
}

export function oid(text: string): Der {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** RFC 5280, 4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050. */
export function time(iso: string): Der {
  const digits = new Date(iso).toISOString().replace(/\.\d+|[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

/** Whatever the year (RFC 6960, 4.2.2.1). */
export function generalizedTime(iso: string): Der {
  return der(0x18, Buffer.from(new Date(iso).toISOString().replace(/\.\d+|[-:T]/g, '')));
}

export const enumerated = (value: number): Der => der(0x0a, Uint8Array.of(value));

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Uint8Array.of(0x80 | bytes.length), bytes]);
}

function base128(value: number): number[] {
  const groups = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    groups.unshift((rest & 0x7f) | 0x80);
  }
  return groups;
}
