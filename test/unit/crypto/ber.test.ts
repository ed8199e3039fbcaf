import t from 'tap';
import { normalizeBer } from '../../../src/crypto/ber.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { indefinite, pieces } from '../../support/sign-timestamp.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const normalize = (bytes: Uint8Array, maxBytes = 4096): Buffer =>
  Buffer.from(normalizeBer(bytes, maxBytes));

const long = new Uint8Array(300).fill(7);
const element = asn1.sequence(
  asn1.integer(5),
  asn1.set(asn1.octets(long), asn1.sequence()),
  asn1.explicit(0, asn1.nothing()),
);

t.test('what is DER stays as it is, byte for byte', async (t) => {
  t.strictSame(normalize(element), Buffer.from(element));
  t.strictSame(normalize(asn1.nothing()), Buffer.from(asn1.nothing()));
});

t.test('an end that is marked becomes a length', async (t) => {
  const ber = indefinite(
    0x30,
    asn1.integer(5),
    indefinite(0x31, asn1.octets(long), indefinite(0x30)),
    indefinite(0xa0, asn1.nothing()),
  );
  t.strictSame(normalize(ber), Buffer.from(element));
  t.strictSame(normalize(asn1.sequence(indefinite(0x30))), Buffer.from('30023000', 'hex'));
});

t.test('an octet string in pieces, and pieces of pieces, become one', async (t) => {
  const nested = asn1.der(0x24, pieces(long.subarray(0, 200)), asn1.octets(long.subarray(200)));
  for (const whole of [pieces(long), nested]) {
    t.strictSame(normalize(whole), Buffer.from(asn1.octets(long)));
  }
  t.strictSame(normalize(asn1.der(0x24)), Buffer.from('0400', 'hex'));
});

const refused: Readonly<Record<string, readonly [bytes: string, why: RegExp]>> = {
  'no bytes': ['', /cut off/],
  'a tag without a length': ['30', /cut off/],
  'an end that does not come': ['3080 0500', /cut off/],
  'an end of one byte': ['3080 00', /cut off/],
  'an end within a length': ['3002 0000', /a tag is not one/],
  'a primitive value without a length': ['0480 0000', /a primitive value has no length/],
  'a piece that is no octet string': ['2403 020105', /a piece of an octet string/],
  'a piece that is longer than the whole': ['2403 0405 01', /a length is wrong/],
  'a member that is longer than the whole': ['30043003 0405 0102030405', /a length is wrong/],
  'a length in more bytes than it needs': ['048101 00', /a length is wrong/],
  'a length with a leading zero': [`04820080 ${'00'.repeat(128)}`, /a length is wrong/],
  'a length of five bytes': ['04850000000001 00', /a length is wrong/],
  'less content than the length says': ['0402 00', /a length is wrong/],
  'a tag of two bytes': ['1f8101 00', /a tag is not one/],
  'bytes after the end': ['3080 0000 00', /bytes after the end/],
};

for (const [what, [bytes, message]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => normalize(hex(bytes)), { code: 'CMS_MALFORMED', message });
  });
}

t.test('what is too large or too deep is refused before it costs anything', async (t) => {
  const deep = (levels: number): Uint8Array =>
    levels === 0 ? asn1.nothing() : indefinite(0x30, deep(levels - 1));
  t.doesNotThrow(() => normalize(deep(23)));
  t.throws(() => normalize(deep(24)), { message: /deeper than 24/ });
  t.throws(() => normalize(hex('3080'.repeat(2000))), { message: /deeper than 24/ });
  t.equal(normalize(asn1.octets(new Uint8Array(10)), 12).length, 12);
  t.throws(() => normalize(asn1.octets(new Uint8Array(10)), 11), { message: /larger than 11/ });
});
