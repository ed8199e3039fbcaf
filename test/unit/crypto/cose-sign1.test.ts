import t from 'tap';
import { readCoseSign1, toBeSigned } from '../../../src/crypto/cose-sign1.ts';
import { type Cbor, encodeCbor, entries, tagged } from '../../support/cbor-encoder.ts';

const protectedBytes = encodeCbor(new Map<Cbor, Cbor>([[1, -7]]));
const parts: readonly Cbor[] = [
  protectedBytes,
  new Map([[4, Uint8Array.of(1)]]),
  Buffer.from('payload'),
  Uint8Array.of(9),
];
const message = (changed: readonly Cbor[] = parts, tag = 18): Uint8Array =>
  encodeCbor(tagged(tag, changed));
const withPart = (index: number, part: Cbor): Uint8Array => message(parts.with(index, part));
const read = (bytes: Uint8Array): ReturnType<typeof readCoseSign1> => readCoseSign1(bytes, 2 ** 20);
const refusal = (message: RegExp) => ({ code: 'COSE_MALFORMED', message });

t.test('a message is read into its four parts', async (t) => {
  const sign1 = read(message());
  t.same(sign1.protectedBytes, protectedBytes);
  t.same(sign1.protectedHeader, new Map([[1, -7]]));
  t.same(sign1.unprotectedHeader, new Map([[4, Uint8Array.of(1)]]));
  t.same(sign1.payload, Buffer.from('payload'));
  t.same(sign1.signature, Uint8Array.of(9));
});

const refused: Readonly<Record<string, [bytes: Uint8Array, why: RegExp]>> = {
  'no tag': [encodeCbor(parts), /tag 18/],
  'the tag of COSE_Sign': [message(parts, 98), /tag 18/],
  'a tag within a tag': [encodeCbor(tagged(18, tagged(18, parts))), /four parts/],
  'three parts': [message(parts.slice(0, 3)), /four parts/],
  'five parts': [message([...parts, 1]), /four parts/],
  'a map in place of the list': [encodeCbor(tagged(18, new Map())), /four parts/],
  'a protected header that is a map': [withPart(0, new Map()), /protected header is no byte/],
  'an empty protected header': [withPart(0, new Uint8Array()), /protected header is no byte/],
  'a protected header of a list': [withPart(0, encodeCbor([])), /protected header is no map/],
  'an unprotected header that is bytes': [withPart(1, Uint8Array.of(0xa0)), /unprotected header/],
  'a detached payload': [withPart(2, null), /payload/],
  'an empty payload': [withPart(2, new Uint8Array()), /payload/],
  'a payload that is text': [withPart(2, 'payload'), /payload/],
  'an empty signature': [withPart(3, new Uint8Array()), /signature/],
  'a label in both headers': [withPart(1, new Map([[1, -7]])), /label 1 may not/],
  'crit in the unprotected header': [withPart(1, new Map([[2, ['a']]])), /label 2 may not/],
};

for (const [what, [bytes, why]] of Object.entries(refused)) {
  t.test(`a message with ${what} is refused`, async (t) => {
    t.throws(() => read(bytes), refusal(why));
  });
}

t.test('both headers are read as strictly as the whole', async (t) => {
  const twice = entries([
    [1, -7],
    [1, -7],
  ]);
  const refused = { code: 'CBOR_MALFORMED', message: /twice/ };
  t.throws(() => read(withPart(0, encodeCbor(twice))), refused);
  t.throws(() => read(withPart(1, twice)), refused);
  const trailing = Buffer.concat([protectedBytes, Uint8Array.of(0)]);
  t.throws(() => read(withPart(0, trailing)), { code: 'CBOR_MALFORMED', message: /after the end/ });
});

t.test('a message and a protected header are read up to their bounds', async (t) => {
  const bytes = message();
  t.ok(readCoseSign1(bytes, bytes.length));
  t.throws(() => readCoseSign1(bytes, bytes.length - 1), { code: 'CBOR_MALFORMED' });
  const large = encodeCbor(new Map([['a', 'a'.repeat(65_536)]]));
  t.throws(() => read(withPart(0, large)), { code: 'CBOR_MALFORMED', message: /65536/ });
});

for (const length of [1, 23, 24, 255, 256, 65_535, 65_536]) {
  t.test(`what is signed over ${length} bytes is a canonical Sig_structure`, async (t) => {
    const payload = Buffer.alloc(length, 7);
    const sign1 = read(withPart(2, payload));
    const expected = encodeCbor(['Signature1', protectedBytes, new Uint8Array(), payload]);
    t.same(toBeSigned(sign1), expected);
  });
}

t.test('what is signed has the protected header as received', async (t) => {
  // Keys out of their canonical order: an encoder of ours would write them the other way round.
  const unordered = encodeCbor(
    entries([
      ['b', 1],
      [1, -7],
    ]),
  );
  const sign1 = read(withPart(0, unordered));
  t.ok(Buffer.from(toBeSigned(sign1)).includes(Buffer.from(unordered)));
});
