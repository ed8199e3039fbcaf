import t from 'tap';
import { readDer } from '../../../src/crypto/der.ts';
import { readName } from '../../../src/crypto/name.ts';
import type { Name } from '../../../src/crypto/x509.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { encodeName } from '../../support/test-certificate.ts';

const read = (bytes: Uint8Array): Name => readName(readDer(bytes), 'the name');
const withValue = (value: Uint8Array, type = '2.5.4.3'): Uint8Array =>
  asn1.sequence(asn1.set(asn1.sequence(asn1.oid(type), value)));
const refusal = (message: RegExp) => ({ code: 'CERTIFICATE_MALFORMED', message });

t.test('a name is read in its order and written in reverse', async (t) => {
  const name = read(encodeName('C=US, ST=WA, O=acme, OU=a+CN=b'));
  // A SET is in the order of its encodings.
  t.equal(name.text, 'CN=b+OU=a,O=acme,ST=WA,C=US');
  t.strictSame(
    name.rdns.map((rdn) => rdn.map(({ shortName, value }) => `${shortName}=${value}`)),
    [['C=US'], ['ST=WA'], ['O=acme'], ['CN=b', 'OU=a']],
  );
  t.same(name.der, encodeName('C=US, ST=WA, O=acme, OU=a+CN=b'));
});

t.test('every short name of RFC 4514 is known', async (t) => {
  const name = read(encodeName('CN=a, L=b, ST=c, O=d, OU=e, C=f, STREET=g, DC=h, UID=i'));
  t.equal(name.text, 'UID=i,DC=h,STREET=g,C=f,OU=e,O=d,ST=c,L=b,CN=a');
});

t.test('a type without a short name stands as its number and encoding', async (t) => {
  const name = read(encodeName([[['E', 'a@b']]]));
  t.equal(name.text, '1.2.840.113549.1.9.1=#1603614062');
  t.strictSame(name.rdns, [[{ oid: '1.2.840.113549.1.9.1', value: 'a@b' }]]);
});

t.test('an empty name is a name', async (t) => {
  t.same(read(asn1.sequence()), { der: asn1.sequence(), rdns: [], text: '' });
});

const strings: Readonly<Record<string, [value: Uint8Array, text: string]>> = {
  UTF8String: [asn1.utf8('Zürich'), 'Zürich'],
  PrintableString: [asn1.printable('Zurich'), 'Zurich'],
  NumericString: [asn1.der(0x12, Buffer.from('80 01')), '80 01'],
  TeletexString: [asn1.der(0x14, Buffer.from('Zürich', 'latin1')), 'Zürich'],
  IA5String: [asn1.ia5('a@b'), 'a@b'],
  VisibleString: [asn1.der(0x1a, Buffer.from('abc')), 'abc'],
  UniversalString: [asn1.der(0x1c, Buffer.from('000000410001f600', 'hex')), 'A\u{1f600}'],
  BMPString: [asn1.der(0x1e, Buffer.from('005a00fc', 'hex')), 'Zü'],
};

for (const [type, [value, text]] of Object.entries(strings)) {
  t.test(`a value may be a ${type}`, async (t) => {
    t.equal(read(withValue(value)).rdns[0]?.[0]?.value, text);
  });
}

const refused: Readonly<Record<string, [bytes: Uint8Array, why: RegExp]>> = {
  'UTF-8 that is not valid': [withValue(asn1.der(0x0c, Buffer.from('ff', 'hex'))), /not utf-8/],
  'a byte over 0x7f in ASCII': [withValue(asn1.der(0x13, Buffer.from('ff', 'hex'))), /not ASCII/],
  'an odd BMPString': [withValue(asn1.der(0x1e, Buffer.from('004100', 'hex'))), /not utf-16be/],
  'a lone surrogate in a BMPString': [
    withValue(asn1.der(0x1e, Buffer.from('d800', 'hex'))),
    /not utf-16be/,
  ],
  'a cut UniversalString': [withValue(asn1.der(0x1c, Buffer.from('000041', 'hex'))), /cut off/],
  'a surrogate in a UniversalString': [
    withValue(asn1.der(0x1c, Buffer.from('0000d800', 'hex'))),
    /no character/,
  ],
  'a number past Unicode in a UniversalString': [
    withValue(asn1.der(0x1c, Buffer.from('00110000', 'hex'))),
    /no character/,
  ],
  'a value that is no string': [withValue(asn1.integer(5)), /no string/],
  'an attribute without a value': [
    asn1.sequence(asn1.set(asn1.sequence(asn1.oid('2.5.4.3')))),
    /no pair/,
  ],
  'an attribute with two values': [
    asn1.sequence(asn1.set(asn1.sequence(asn1.oid('2.5.4.3'), asn1.utf8('a'), asn1.utf8('b')))),
    /no pair/,
  ],
  'a part without attributes': [asn1.sequence(asn1.set()), /is empty/],
  'a part that is no set': [asn1.sequence(asn1.sequence()), /another type/],
  'a name that is no sequence': [asn1.set(), /the name is missing/],
};

for (const [what, [bytes, why]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(bytes), refusal(why));
  });
}

t.test('a name that is not there is refused', async (t) => {
  t.throws(() => readName(undefined, 'the subject'), refusal(/the subject is missing/));
});

const escapes: Readonly<Record<string, string>> = {
  'a,b+c"d\\e<f>g;h': String.raw`a\,b\+c\"d\\e\<f\>g\;h`,
  '#a#': String.raw`\#a#`,
  ' a b ': String.raw`\ a b\ `,
  ' ': String.raw`\ `,
  'a\\ ': String.raw`a\\\ `,
  'a\0b\n': String.raw`a\00b\0a`,
  // A right-to-left override would show another name than is there.
  'a\u202eb': String.raw`a\e2\80\aeb`,
  'a\u00a0b': String.raw`a\c2\a0b`,
  Zürich: 'Zürich',
};

for (const [value, text] of Object.entries(escapes)) {
  t.test(`the value ${JSON.stringify(value)} is written ${text}`, async (t) => {
    t.equal(read(withValue(asn1.utf8(value))).text, `CN=${text}`);
  });
}
