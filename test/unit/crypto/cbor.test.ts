import t from 'tap';
import { isCborArray, isCborMap, isCborTag, readCbor } from '../../../src/crypto/cbor.ts';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import {
  type Cbor,
  encodeCbor,
  entries,
  indefinite,
  raw,
  tagged,
  wide,
} from '../../support/cbor-encoder.ts';

const read = (value: Cbor): unknown => readCbor(encodeCbor(value), { maxBytes: 1000 });
const refusal = (message: RegExp) => ({ code: 'CBOR_MALFORMED', message });

const numbers = [
  0,
  23,
  24,
  255,
  256,
  65_535,
  65_536,
  4_294_967_295,
  4_294_967_296,
  Number.MAX_SAFE_INTEGER,
  2n ** 53n,
  2n ** 64n - 1n,
  -1,
  -24,
  -25,
  -256,
  -257,
  -Number.MAX_SAFE_INTEGER,
  -(2n ** 64n),
];
for (const number of numbers) {
  t.test(`the integer ${number} is read`, async (t) => t.equal(read(number), number));
}

t.test('text, bytes, lists, maps, tags, booleans and null are read', async (t) => {
  t.equal(read('Zürich \u{1f600}'), 'Zürich \u{1f600}');
  t.same(read(Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
  t.same(read([1, 'a', [true, false, null]]), [1, 'a', [true, false, null]]);
  t.same(read(tagged(18, [])), { tag: 18, content: [] });
  t.same(
    read(
      new Map<Cbor, Cbor>([
        [1, 'a'],
        ['1', 'b'],
        [-1, 'c'],
      ]),
    ),
    new Map<unknown, unknown>([
      [1, 'a'],
      ['1', 'b'],
      [-1, 'c'],
    ]),
  );
  t.same(read(new Map<Cbor, Cbor>([[2n ** 63n, 1]])), new Map([[2n ** 63n, 1]]));
});

t.test('byte strings are views of the input', async (t) => {
  const bytes = encodeCbor([Uint8Array.of(1, 2, 3)]);
  const [item] = readCbor(bytes, { maxBytes: 10 }) as [Uint8Array];
  t.equal(item.buffer, bytes.buffer);
});

t.test('kinds are told apart', async (t) => {
  const values = [read([]), read(new Map()), read(tagged(1, 2)), read('a'), read(null)] as const;
  t.same(
    values.map((value) => isCborArray(value as never)),
    [true, false, false, false, false],
  );
  t.same(
    values.map((value) => isCborMap(value as never)),
    [false, true, false, false, false],
  );
  t.same(
    values.map((value) => isCborTag(value as never)),
    [false, false, true, false, false],
  );
});

t.test('four levels are read and five are not', async (t) => {
  t.same(read([[[[]]]]), [[[[]]]]);
  t.throws(() => read([[[[[]]]]]), refusal(/deeper than 4/));
  t.throws(() => read(tagged(1, tagged(1, tagged(1, tagged(1, tagged(1, 0)))))), refusal(/deeper/));
  const deep = encodeCbor([[]]);
  t.throws(() => readCbor(deep, { maxBytes: 10, maxDepth: 1 }), refusal(/deeper than 1/));
});

t.test('as many bytes as allowed are read and no more', async (t) => {
  const bytes = encodeCbor('abc');
  t.equal(readCbor(bytes, { maxBytes: 4 }), 'abc');
  t.throws(() => readCbor(bytes, { maxBytes: 3 }), refusal(/larger than 3 bytes/));
});

const refused: Readonly<Record<string, [value: Cbor, why: RegExp]>> = {
  'nothing at all': [raw(), /cut off/],
  'an integer in one byte more than it needs': [wide(23, 1), /more bytes/],
  'an integer in two bytes that fits in one': [wide(255, 2), /more bytes/],
  'an integer in four bytes that fits in two': [wide(65_535, 4), /more bytes/],
  'an integer in eight bytes that fits in four': [wide(4_294_967_295, 8), /more bytes/],
  'a negative integer in more bytes than it needs': [wide(-1, 1), /more bytes/],
  'a length in more bytes than it needs': [wide('abc', 1), /more bytes/],
  'a count in more bytes than it needs': [wide([1], 2), /more bytes/],
  'a tag in more bytes than it needs': [wide(tagged(18, 1), 1), /more bytes/],
  'text of indefinite length': [indefinite('abc'), /indefinite/],
  'bytes of indefinite length': [indefinite(Uint8Array.of(1, 2)), /indefinite/],
  'a list of indefinite length': [indefinite([1]), /indefinite/],
  'a map of indefinite length': [indefinite(new Map([[1, 2]])), /indefinite/],
  'a reserved argument': [raw(0x1c), /reserved/],
  'a key that stands twice': [
    entries([
      [1, 'a'],
      [1, 'b'],
    ]),
    /twice/,
  ],
  'a text key that stands twice': [
    entries([
      ['a', 1],
      ['a', 1],
    ]),
    /twice/,
  ],
  'a large key that stands twice': [
    entries([
      [2n ** 60n, 1],
      [2n ** 60n, 1],
    ]),
    /twice/,
  ],
  'a key of bytes': [entries([[Uint8Array.of(1), 1]]), /neither integer nor text/],
  'a key that is a list': [entries([[[], 1]]), /neither integer nor text/],
  'a key that is null': [entries([[null, 1]]), /neither integer nor text/],
  'a float': [1.5, /float/],
  'a half float': [raw(0xf9, 0x3c, 0), /float/],
  'a single float': [raw(0xfa, 0, 0, 0, 0), /float/],
  undefined: [undefined, /unknown simple/],
  'a simple value in two bytes': [raw(0xf8, 0xff), /unknown simple/],
  'an unassigned simple value': [raw(0xe0), /unknown simple/],
  'a break': [raw(0xff), /break/],
  'text that is not UTF-8': [raw(0x61, 0xff), /not UTF-8/],
  'text with half a surrogate': [raw(0x63, 0xed, 0xa0, 0x80), /not UTF-8/],
  'bytes after the end': [raw(0, 0), /after the end/],
  'an argument that is cut off': [raw(0x19, 1), /cut off/],
  'bytes that are cut off': [raw(0x43, 1, 2), /cut off/],
  'a list that is cut off': [raw(0x82, 1), /cut off/],
  'a map that is cut off': [raw(0xa1, 1), /cut off/],
  'a tag over nothing': [raw(0xd2), /cut off/],
  'a length past all memory': [
    raw(0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
    /cut off/,
  ],
  'a count past all memory': [raw(0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), /cut off/],
  'a map that counts more pairs than bytes': [raw(0xba, 0xff, 0xff, 0xff, 0xff, 1, 1), /cut off/],
};

for (const [what, [value, why]] of Object.entries(refused)) {
  t.test(`${what} is refused`, async (t) => {
    t.throws(() => read(value), refusal(why));
    t.throws(() => read(value), EnvelopeError);
  });
}
