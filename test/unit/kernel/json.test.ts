import fc from 'fast-check';
import t from 'tap';
import { isObject, JsonError, readJson } from '../../../src/kernel/json.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

t.test('whatever JSON.stringify writes is read as JSON.parse reads it', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value, undefined, 1);
      t.equal(JSON.stringify(readJson(bytes(text))), JSON.stringify(JSON.parse(text)));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('what JSON.parse refuses is refused, whatever the text', (t) => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '1',
    '-',
    'e',
    ' ',
    '\\',
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      let parsed = true;
      try {
        JSON.parse(text);
      } catch {
        parsed = false;
      }
      if (parsed) return;
      refused += 1;
      try {
        readJson(text);
      } catch (error) {
        if (error instanceof JsonError) return;
      }
      throw new Error(`read what is no JSON: ${text}`);
    }),
    { numRuns: 3000 },
  );
  t.ok(refused > 1000, 'most of the texts are no JSON');
  t.end();
});

const refusals: readonly (readonly [title: string, text: string | Uint8Array, because: RegExp])[] =
  [
    ['a name that stands twice', '{"a":1,"b":2,"a":3}', /"a" stands twice/],
    ['a name that stands twice by an escape', '{"a":1,"\\u0061":2}', /stands twice/],
    ['a name that stands twice in a nested object', '[{"x":{"y":1,"y":1}}]', /stands twice/],
    ['a byte order mark', '\ufeff{}', /is no JSON/],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /not UTF-8/],
    ['text after the value', '{} {}', /is no JSON/],
    ['a trailing comma in an array', '[1,]', /is no JSON/],
    ['a trailing comma in an object', '{"a":1,}', /is no JSON/],
    ['a missing comma', '[1 2]', /is no JSON/],
    ['an unquoted name', '{1:2}', /is no JSON/],
    ['a control character in a string', '"\n"', /is no JSON/],
    ['a number with a leading zero', '01', /is no JSON/],
    ['NaN', 'NaN', /is no JSON/],
    ['nothing at all', '', /is no JSON/],
    ['an array without an end', '[[1]', /is no JSON/],
    ['33 levels', '['.repeat(33) + ']'.repeat(33), /deeper than 32/],
    ['a hundred thousand levels', '['.repeat(100_000), /deeper than 32/],
  ];

for (const [title, text, because] of refusals) {
  t.test(`${title} is refused`, (t) => {
    t.throws(() => readJson(text), because);
    t.throws(() => readJson(text), JsonError);
    t.end();
  });
}

t.test('32 levels are read', (t) => {
  t.doesNotThrow(() => readJson('['.repeat(32) + ']'.repeat(32)));
  t.end();
});

const counted: readonly (readonly [title: string, text: string, values: number])[] = [
  ['lists in a list', '[[],[],[]]', 6],
  ['members of an object', '{"a":1,"b":[2,3]}', 4],
  ['commas and brackets in texts', '["[,{,","\\",[,"]', 2],
];
for (const [title, text, values] of counted) {
  t.test(`${title}: ${values} values are within ${values}, and not within one less`, (t) => {
    t.doesNotThrow(() => readJson(text, 32, values));
    t.throws(() => readJson(text, 32, values - 1), {
      code: 'JSON_MALFORMED',
      message: `it has more than ${values - 1} values`,
    });
    t.end();
  });
}

t.test('what has too many values is refused before it is known whether it is JSON', (t) => {
  t.throws(() => readJson(`[${',['.repeat(100)}`, 200, 50), /more than 50 values/);
  t.end();
});

t.test('__proto__ is a name like any other and pollutes nothing', (t) => {
  const value = readJson('{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}');
  t.ok(isObject(value));
  t.equal(Object.getPrototypeOf(value), null);
  t.same(Object.keys(value as object), ['__proto__', 'constructor']);
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
  t.end();
});

t.test('a string of four megabytes is read', (t) => {
  const text = JSON.stringify('a\\"b'.repeat(1024 * 1024));
  t.equal((readJson(text) as string).length, 4 * 1024 * 1024);
  t.end();
});

t.test('what stands twice is quoted: no escape sequence reaches a terminal', async (t) => {
  const name = '\u009b31mred\u202e';
  t.throws(() => readJson(`{"${name}":1,"${name}":2}`), {
    message: 'the name "\\u009b31mred\\u202e" stands twice',
  });
});
