import t from 'tap';
import { leafReaders, type LeafSchema } from '../../../src/config/leaf-reader.ts';

type Kind = keyof typeof leafReaders;

const schemas: Partial<Record<Kind, Partial<LeafSchema>>> = {
  text: { pattern: '^[a-z]+$' },
  integer: { minimum: 1, maximum: 10 },
  'integer-or-word': { pattern: '^auto$', minimum: 1, maximum: 10 },
  literal: { const: 'allowed' },
  choice: { enum: ['always', 'never'] },
};

function read(kind: Kind, value: string | number | boolean | null, isExpanded = false): unknown {
  const schema = { leaf: kind, expects: 'something', ...schemas[kind] };
  return leafReaders[kind]({ value, isExpanded }, schema, '/etc/assay');
}

const good: readonly (readonly [Kind, string | number | boolean, unknown])[] = [
  ['text', 'abc', 'abc'],
  ['integer', 1, 1],
  ['integer', 10, 10],
  ['boolean', true, true],
  ['boolean', false, false],
  ['integer-or-word', 'auto', 'auto'],
  ['integer-or-word', 10, 10],
  ['literal', 'allowed', 'allowed'],
  ['choice', 'always', 'always'],
  ['choice', 'never', 'never'],
  ['duration', '0s', { ms: 0 }],
  ['duration', '500ms', { ms: 500 }],
  ['duration', '60s', { ms: 60_000 }],
  ['duration', '15m', { ms: 900_000 }],
  ['duration', '24h', { ms: 86_400_000 }],
  ['duration', '90d', { ms: 7_776_000_000 }],
  ['size', '512 B', { bytes: 512 }],
  ['size', '64KiB', { bytes: 65_536 }],
  ['size', '50 GiB', { bytes: 53_687_091_200 }],
  ['size', '1 TiB', { bytes: 1_099_511_627_776 }],
  ['path', '/a/b', '/a/b'],
  ['path', './a', '/etc/assay/a'],
  ['path', '../a', '/etc/a'],
  ['origin', 'https://ghcr.io', 'https://ghcr.io'],
  ['origin', 'https://ghcr.io/', 'https://ghcr.io'],
  ['origin', 'http://127.0.0.1:5555', 'http://127.0.0.1:5555'],
  ['origin', 'https://[::1]:5000', 'https://[::1]:5000'],
  ['base-url', 'https://proxy.example/assay/', 'https://proxy.example/assay'],
  ['base-url', 'https://proxy.example', 'https://proxy.example'],
  ['cidr', '10.0.0.0/8', '10.0.0.0/8'],
];

for (const [kind, value, result] of good) {
  t.test(`${kind} takes ${JSON.stringify(value)}`, async (t) => {
    t.same(read(kind, value), result);
  });
}

const bad: readonly (readonly [Kind, string | number | boolean | null])[] = [
  ['text', 'ABC'],
  ['choice', 'sometimes'],
  ['choice', 'Always'],
  ['choice', true],
  ['text', 'a'.repeat(1025)],
  ['text', 5],
  ['text', null],
  ['integer', 0],
  ['integer', 11],
  ['integer', 1.5],
  ['integer', '5'],
  ['integer', null],
  ['boolean', 'true'],
  ['boolean', 1],
  ['integer-or-word', 'automatic'],
  ['integer-or-word', '5'],
  ['integer-or-word', 0],
  ['integer-or-word', 11],
  ['literal', 2],
  ['literal', 'allow'],
  ['duration', '60'],
  ['duration', 60],
  ['duration', '1.5h'],
  ['duration', '-1s'],
  ['duration', '1 w'],
  ['duration', '999999999999d'],
  ['size', '50 GB'],
  ['size', '50'],
  ['size', '999999999999 TiB'],
  ['path', ''],
  ['path', 'a\0b'],
  ['path', 5],
  ['origin', 'https://ghcr.io/v2'],
  ['origin', 'https://user@ghcr.io'],
  ['origin', 'https://user:pw@ghcr.io'],
  ['origin', 'https://ghcr.io?x'],
  ['origin', 'https://ghcr.io#x'],
  ['origin', 'ftp://ghcr.io'],
  ['origin', 'ghcr.io'],
  ['origin', 'https://'],
  ['origin', 'https://a b'],
  ['origin', 'https://ghcr.io\\x'],
  ['base-url', 'https://proxy.example?x=1'],
  ['cidr', '10.0.0.1/8'],
  ['cidr', 10],
];

for (const [kind, value] of bad) {
  t.test(`${kind} refuses ${JSON.stringify(value)?.slice(0, 40)}`, async (t) => {
    t.equal(read(kind, value), undefined);
  });
}

t.test('a number or boolean may come out of a variable, where it is always text', async (t) => {
  t.equal(read('integer', '5', true), 5);
  t.equal(read('integer', '11', true), undefined);
  t.equal(read('integer', '0x5', true), undefined);
  t.equal(read('integer-or-word', '5', true), 5);
  t.equal(read('integer-or-word', 'auto', true), 'auto');
  t.equal(read('boolean', 'true', true), true);
  t.equal(read('boolean', 'false', true), false);
  t.equal(read('boolean', 'yes', true), undefined);
});

t.test('a literal of text is compared exactly', async (t) => {
  const schema = { leaf: 'literal', expects: 'pull', const: 'pull' } as const;
  t.equal(leafReaders.literal({ value: 'pull', isExpanded: false }, schema, '/'), 'pull');
  t.equal(leafReaders.literal({ value: 'Pull', isExpanded: false }, schema, '/'), undefined);
});
