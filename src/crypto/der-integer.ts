import { type DerElement, derTags, expectTag } from './der.ts';
import { EnvelopeError } from './envelope-error.ts';

const maxCountBytes = 6;

/** The content of an INTEGER in the fewest bytes (X.690, clause 8.3.2), of any size. */
export function readIntegerBytes(element: DerElement | undefined, what: string): Uint8Array {
  const { content } = expectTag(element, derTags.integer, what);
  return expectInteger(content, what);
}

/** Content in place of a whole INTEGER, as an implicit tag leaves it. */
export function expectInteger(content: Uint8Array, what: string): Uint8Array {
  const [first, second = 0] = content;
  const isPadded =
    content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (first === undefined || isPadded) throw malformed(`${what} is no INTEGER in its fewest bytes`);
  return content;
}

/** A count from 0 to `max`, itself below 2^47; throws `EnvelopeError` for any other. */
export function readCount(content: Uint8Array, max: number, what: string): number {
  const [first = 0] = expectInteger(content, what);
  const count = content.reduce((value, byte) => value * 256 + byte, 0);
  if (first >= 0x80 || content.length > maxCountBytes || count > max) {
    throw malformed(`${what} is not from 0 to ${max}`);
  }
  return count;
}

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', message);
}
