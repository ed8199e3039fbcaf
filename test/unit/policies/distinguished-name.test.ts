import * as fc from 'fast-check';
import t from 'tap';
import { isContainedIn, parseDistinguishedName } from '../../../src/policies/distinguished-name.ts';
import { holds } from '../../support/holds.ts';

const rest = ',ST=WA,O=acme';
const parse = (text: string) => parseDistinguishedName(text);

function attributes(text: string): readonly (readonly [string, string])[] {
  const parsed = parse(text);
  return 'problem' in parsed ? [['problem', parsed.problem]] : [...parsed];
}

t.test('attributes come by type, S as ST, without spaces around separators', async (t) => {
  t.same(attributes(' C=US, S = WA ,O=acme, CN=a b'), [
    ['C', 'US'],
    ['ST', 'WA'],
    ['O', 'acme'],
    ['CN', 'a b'],
  ]);
});

const values = [
  ['a\\,b', 'a,b'],
  ['a\\+b', 'a+b'],
  ['a\\"b', 'a"b'],
  ['a\\\\b', 'a\\b'],
  ['a\\;\\<\\>', 'a;<>'],
  ['a\\=b', 'a=b'],
  ['a=b', 'a=b'],
  ['\\#a', '#a'],
  ['a#b', 'a#b'],
  ['\\ a\\ ', ' a '],
  ['a\\  ', 'a '],
  ['a\\\\ ', 'a\\'],
  ['Lu\\C4\\8Di\\C4\\87', 'Lučić'],
  ['Lučić', 'Lučić'],
  ['\\41', 'A'],
  ['\u00a0a\u00a0', '\u00a0a\u00a0'],
  ['😀', '😀'],
] as const;

for (const [text, value] of values) {
  t.test(`the value ${text} is ${JSON.stringify(value)}`, async (t) => {
    t.same(attributes(`C=${text}${rest}`)[0], ['C', value]);
  });
}

const bad = [
  ['', /TYPE=VALUE/],
  ['C=US,ST=WA', /no O/],
  ['O=acme', /no C, ST/],
  ['c=US,ST=WA,O=acme', /no C/],
  [`C=US${rest},C=DE`, /has C twice/],
  ['C=US,ST=WA,S=OR,O=acme', /has ST twice/],
  [`C=US+CN=x${rest}`, /joined by/],
  [`C=#04024869${rest}`, /begins with `#`/],
  [`C= #04024869${rest}`, /begins with `#`/],
  [`C=${rest}`, /an empty C/],
  [`C= ${rest}`, /an empty C/],
  [`US${rest}`, /TYPE=VALUE/],
  [`=US${rest}`, /TYPE=VALUE/],
  [`C US=x${rest}`, /TYPE=VALUE/],
  [`C=US,${rest}`, /TYPE=VALUE/],
  [`C=a"b${rest}`, /RFC 4514 refuses/],
  [`C=a;b${rest}`, /RFC 4514 refuses/],
  [`C=a<b${rest}`, /RFC 4514 refuses/],
  [`C=a>b${rest}`, /RFC 4514 refuses/],
  [`C=a\0b${rest}`, /RFC 4514 refuses/],
  [`C=a\\xb${rest}`, /RFC 4514 refuses/],
  [`C=a\\C4${rest}`, /RFC 4514 refuses/],
  ['ST=WA,O=acme,C=a\\', /RFC 4514 refuses/],
] as const;

for (const [text, problem] of bad) {
  t.test(`refused: ${JSON.stringify(text)}`, async (t) => {
    t.match(parse(text), { problem });
  });
}

t.test('types may be object identifiers or unknown, and are kept', async (t) => {
  t.same(attributes(`C=US${rest},1.2.840.113549.1.9.1=x,UID=y`).slice(3), [
    ['1.2.840.113549.1.9.1', 'x'],
    ['UID', 'y'],
  ]);
});

t.test('a name is contained in another that has all its attributes', async (t) => {
  const small = new Map([['C', 'US']]);
  const large = new Map([
    ['C', 'US'],
    ['O', 'acme'],
  ]);
  t.ok(isContainedIn(small, large));
  t.ok(isContainedIn(small, small));
  t.notOk(isContainedIn(large, small));
  t.notOk(isContainedIn(new Map([['C', 'us']]), large));
});

t.test('what is escaped comes back as it was', async (t) => {
  const escape = (value: string) =>
    value.replace(/[\\,+";<>=#\0 ]/g, (character) =>
      character === '\0' ? '\\00' : `\\${character}`,
    );
  const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => /[^ ]/.test(text));
  await holds(
    t,
    'escape and parse',
    fc.property(value, (text) => {
      const trimmed = text.replace(/^ +| +$/g, '');
      return attributes(`C=US${rest},CN=${escape(trimmed)}`)[3]?.[1] === trimmed;
    }),
  );
});

t.test('any text is read or refused, and never throws', async (t) => {
  const piece = fc.constantFrom('C', '=', ',', '+', '\\', '#', ' ', 'O', 'ST', '"', '4', 'é');
  await holds(
    t,
    'total',
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        const parsed = parse(text);
        return 'problem' in parsed || ['C', 'ST', 'O'].every((type) => parsed.has(type));
      },
    ),
  );
});
