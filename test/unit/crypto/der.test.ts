import t from 'tap';
import {
  childrenOf,
  derTags,
  expectChildren,
  expectTag,
  readBoolean,
  readDer,
  readObjectIdentifier,
  readWholeBitString,
} from '../../../src/crypto/der.ts';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import * as asn1 from '../../support/der-encoder.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const refusal = (message: RegExp) => ({ code: 'CERTIFICATE_MALFORMED', message });

t.test('an element is read with its bytes and its content', async (t) => {
  const long = asn1.octets(new Uint8Array(300));
  const element = readDer(asn1.sequence(asn1.integer(5), long));
  t.equal(element.tag, derTags.sequence);
  t.strictSame(
    childrenOf(element).map(({ tag, content }) => [tag, content.length]),
    [
      [0x02, 1],
      [0x04, 300],
    ],
  );
  t.strictSame(Buffer.from(childrenOf(element)[1]?.bytes ?? []), Buffer.from(long));
});

const refused: Readonly<Record<string, [bytes: string, why: RegExp]>> = {
  'no bytes at all': ['', /cut off/],
  'a tag without a length': ['30', /cut off/],
  'less content than the length says': ['0402 00', /length is wrong/],
  'a length that is cut off': ['0482 01', /length is wrong/],
  'an indefinite length': ['3080 0000', /length is wrong/],
  'a length in more bytes than it needs': ['048101 00', /length is wrong/],
  'a length with a leading zero': [`04820080 ${'00'.repeat(128)}`, /length is wrong/],
  'a length of five bytes': ['04850000000001 00', /length is wrong/],
  'a length of 127 bytes': ['04ff', /length is wrong/],
  'a tag of two bytes': ['1f8101 00', /longer than one byte/],
  'bytes after the end': ['0500 00', /after the end/],
};

for (const [what, [bytes, why]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => readDer(hex(bytes)), refusal(why));
    t.throws(() => readDer(hex(bytes)), EnvelopeError);
  });
}

t.test('TRUE is 0xff and FALSE is 0', async (t) => {
  t.equal(readBoolean(readDer(hex('0101ff'))), true);
  t.equal(readBoolean(readDer(hex('010100'))), false);
  t.throws(() => readBoolean(readDer(hex('0102ffff'))), refusal(/BOOLEAN/));
});

t.test('object identifiers are read as dotted decimals', async (t) => {
  for (const text of [
    '1.2.840.113549.1.1.11',
    '2.5.29.37.0',
    '2.999.3',
    '0.9.2342.19200300.100.1.1',
  ]) {
    const bytes = text === '2.999.3' ? hex('0603 883703') : asn1.oid(text);
    t.equal(readObjectIdentifier(readDer(bytes), 'it'), text);
  }
  t.throws(() => readObjectIdentifier(readDer(hex('0600')), 'it'), refusal(/it is cut off/));
  t.throws(() => readObjectIdentifier(readDer(hex('06022a86')), 'it'), refusal(/cut off/));
  t.throws(() => readObjectIdentifier(readDer(hex('06032a8001')), 'it'), refusal(/leading zero/));
  const huge = hex(`0609 2a ${'ff'.repeat(7)} 7f`);
  t.throws(() => readObjectIdentifier(readDer(huge), 'it'), refusal(/too large/));
});

t.test('what is missing or of another type is named', async (t) => {
  t.throws(() => expectTag(undefined, derTags.set, 'the list'), refusal(/the list is missing/));
  t.throws(() => expectTag(readDer(hex('0500')), derTags.set, 'the list'), refusal(/another type/));
  t.throws(() => expectChildren(readDer(hex('0500')), 'the pair'), refusal(/the pair is missing/));
  t.equal(expectChildren(readDer(asn1.set(asn1.nothing())), 'it', derTags.set).length, 1);
});

t.test('a bit string of whole bytes has no unused bits', async (t) => {
  const bits = readWholeBitString(readDer(asn1.bits(hex('c0'))), 'it');
  t.strictSame([...bits], [0xc0]);
  t.throws(
    () => readWholeBitString(readDer(asn1.bits(hex('c0'), 6)), 'it'),
    refusal(/whole bytes/),
  );
  t.throws(() => readWholeBitString(readDer(hex('030100')), 'it'), refusal(/whole bytes/));
});

t.test('what holds more than 4096 elements is refused before they are laid out', async (t) => {
  const many = (count: number) => readDer(asn1.sequence(Buffer.alloc(2 * count, '0500', 'hex')));
  t.equal(childrenOf(many(4096)).length, 4096);
  t.throws(() => childrenOf(many(4097)), refusal(/more than 4096 elements/));
});

t.test('an object identifier is at most 64 bytes long', async (t) => {
  const oid = (length: number) => readDer(hex(`06${length.toString(16)}${'2a'.repeat(length)}`));
  t.ok(readObjectIdentifier(oid(64), 'it').endsWith('.42'));
  t.throws(() => readObjectIdentifier(oid(65), 'it'), refusal(/longer than 64 bytes/));
});
