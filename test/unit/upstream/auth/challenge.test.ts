import * as fc from 'fast-check';
import t from 'tap';
import { parseChallenges } from '../../../../src/upstream/auth/challenge.ts';
import { holds } from '../../../support/holds.ts';

type Plain = readonly (readonly [string, Readonly<Record<string, string>>])[];

function plain(header: string): Plain | undefined {
  return parseChallenges(header)?.map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

const good: readonly (readonly [string, Plain])[] = [
  ['', []],
  ['Basic', [['basic', {}]]],
  ['Basic realm="a b"', [['basic', { realm: 'a b' }]]],
  [
    'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.example/token',
          service: 'registry',
          scope: 'repository:a/b:pull',
        },
      ],
    ],
  ],
  ['BEARER REALM="x"', [['bearer', { realm: 'x' }]]],
  ['Bearer realm = "x" , service = y', [['bearer', { realm: 'x', service: 'y' }]]],
  ['Bearer scope="a b c",realm="x"', [['bearer', { scope: 'a b c', realm: 'x' }]]],
  [
    'Basic realm="a", Bearer realm="b",service="c"',
    [
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b', service: 'c' }],
    ],
  ],
  [
    'Negotiate, Basic realm=x',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'NTLM abc==, Basic realm=x',
    [
      ['ntlm', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [',, Basic realm=x ,,', [['basic', { realm: 'x' }]]],
  ['Bearer realm="a\\"b\\\\c"', [['bearer', { realm: 'a"b\\c' }]]],
  ['Bearer realm=""', [['bearer', { realm: '' }]]],
];
for (const [header, expected] of good) {
  t.test(`${JSON.stringify(header)} is read`, async (t) => {
    t.strictSame(plain(header), expected);
  });
}

const bad = [
  'Bearer realm="x',
  'Bearer realm=x"',
  'Bearer realm="x" service="y"',
  'Bearer realm="x",realm="y"',
  'Bearer realm="x",REALM="y"',
  'Bearer realm="x" Basic',
  'Bearer realm=https://auth.example/',
  'Bearer realm="a\nb"',
  'Bearer realm="a\r\nX: y"',
  'Bearer realm="caf\u00e9"',
  '="x"',
  'Bearer ="x"',
  '"Bearer" realm="x"',
  `Bearer realm="${'x'.repeat(8192)}"`,
  Array.from({ length: 9 }, () => 'Basic').join(', '),
  `Bearer ${Array.from({ length: 17 }, (_, index) => `p${index}=x`).join(',')}`,
];
for (const header of bad) {
  t.test(`${JSON.stringify(header.slice(0, 60))} is refused`, async (t) => {
    t.equal(parseChallenges(header), undefined);
  });
}

t.test('properties', async (t) => {
  const token = fc.string({
    unit: fc.constantFrom('a', 'b', 'Z', '0', '-', '_', '.'),
    minLength: 1,
    maxLength: 8,
  });
  const value = fc
    .string({ unit: 'binary-ascii', maxLength: 20 })
    .filter((text) => /^[\x20-\x7e]*$/.test(text));
  const challenge = fc.record({
    scheme: token,
    parameters: fc.dictionary(
      token.map((text) => text.toLowerCase()),
      value,
      { maxKeys: 5 },
    ),
  });
  await holds(
    t,
    'what is written by the grammar is read back',
    fc.property(fc.array(challenge, { minLength: 1, maxLength: 4 }), (challenges) => {
      const header = challenges
        .map(({ scheme, parameters }) => {
          const list = Object.entries(parameters).map(
            ([name, text]) => `${name}="${text.replace(/["\\]/g, '\\$&')}"`,
          );
          return `${scheme} ${list.join(', ')}`.trim();
        })
        .join(', ');
      const expected = challenges.map(({ scheme, parameters }) => [
        scheme.toLowerCase(),
        { ...parameters },
      ]);
      return JSON.stringify(plain(header)) === JSON.stringify(expected);
    }),
  );
  const junk = fc.string({
    unit: fc.constantFrom('Bearer', 'realm', '=', '"', ',', ' ', '\\', 'x', '\n', '==', 'é'),
    maxLength: 60,
  });
  await holds(
    t,
    'any text is read or refused',
    fc.property(junk, (header) => {
      const read = parseChallenges(header);
      return read === undefined || read.every(({ scheme }) => scheme !== '');
    }),
  );
});
