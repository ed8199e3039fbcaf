import t from 'tap';
import {
  type ReadableSchema,
  readBySchema,
  type Reading,
} from '../../../src/config/schema-reader.ts';
import { readYaml } from '../../../src/files/yaml.ts';

const text: ReadableSchema = { leaf: 'text', expects: 'small letters', pattern: '^[a-z]+$' };
const secret: ReadableSchema = { leaf: 'secret', expects: 'text, or { file: PATH }' };

async function read(yaml: string, schema: ReadableSchema, files: Record<string, string> = {}) {
  const problems: string[] = [];
  const positions: Reading['positions'] = new Map();
  const reading: Reading = {
    environment: { NAME: 'value' },
    folder: '/folder',
    readSecretFile: async (file) => {
      const content = files[file];
      if (content === undefined) throw new Error(`there is no ${file}`);
      return content;
    },
    report: (at, path, message) => {
      problems.push(`${at.line}:${at.column} ${path}: ${message}`);
      return undefined;
    },
    positions,
  };
  const { root } = readYaml(yaml);
  const value = root && (await readBySchema(root, schema, '', reading));
  return { value, problems, positions };
}

const object: ReadableSchema = {
  properties: { a: text, b: { ...text, default: 'std' } },
  required: ['a'],
};

t.test('a default stands in for what is absent, also where it is required', async (t) => {
  const { value, problems } = await read('a: x', { ...object, required: ['a', 'b'] });
  t.same(value, { a: 'x', b: 'std' });
  t.same(problems, []);
});

t.test('defaults of lists and mappings are empty ones', async (t) => {
  const list: ReadableSchema = { items: text, default: [] };
  const inner: ReadableSchema = { properties: { list }, default: {} };
  t.same((await read('{}', { properties: { inner } })).value, { inner: { list: [] } });
});

t.test('what is missing, unknown or of a later version is told apart', async (t) => {
  const { problems } = await read('c: 1\nd: 1', { ...object, later: ['d'] });
  t.same(problems, [
    '1:1 c: is not a known key; known are a, b',
    '2:1 d: is not supported by this version of assay',
    '1:1 : a is missing',
  ]);
});

t.test('positions are those of the keys, by path', async (t) => {
  const { positions } = await read('x: { a: y }', { properties: { x: object } });
  t.same(positions.get('x'), { line: 1, column: 1 });
  t.same(positions.get('x.a'), { line: 1, column: 6 });
});

const variants: ReadableSchema = {
  anyOf: [
    { properties: { url: text, extra: text }, required: ['url'] },
    { properties: { layout: text }, required: ['layout'] },
  ],
};

t.test('a variant is chosen by the key that it requires', async (t) => {
  t.same((await read('{ url: x, extra: y }', variants)).value, { url: 'x', extra: 'y' });
  t.same((await read('{ layout: x }', variants)).value, { layout: 'x' });
});

t.test('none and two variants are refused with the choices', async (t) => {
  for (const yaml of ['{ extra: x }', '{ url: x, layout: y }']) {
    const { problems } = await read(yaml, variants);
    t.match(problems, [/must have url, or layout, and only one of these/]);
  }
  t.match((await read('x', variants)).problems, [/must be a mapping/]);
});

t.test('a variant that is a word stands beside those that are mappings', async (t) => {
  const withWord: ReadableSchema = {
    anyOf: [...(variants.anyOf ?? []), { ...text, expects: 'a word' }],
  };
  t.same((await read('word', withWord)).value, 'word');
  t.same((await read('{ url: x }', withWord)).value, { url: 'x' });
  t.match((await read('[word]', withWord)).problems, [/must be a word/]);
  t.match((await read('{ extra: x }', withWord)).problems, [/must have url, or layout, and only/]);
});

t.test('a secret is text, with variables', async (t) => {
  const { value } = await read('"a-${NAME}"', secret);
  t.equal((value as { reveal(): string }).reveal(), 'a-value');
});

t.test('a secret in a file loses one line break and no more', async (t) => {
  for (const [content, expected] of [
    ['x\n', 'x'],
    ['x\r\n', 'x'],
    ['x \n\n', 'x \n'],
    ['x', 'x'],
  ] as const) {
    const { value } = await read('{ file: s }', secret, { '/folder/s': content });
    t.equal((value as { reveal(): string }).reveal(), expected);
  }
});

const badSecrets = [
  { what: 'nothing', yaml: '""', message: /must be text, or/ },
  { what: 'a number, which may have lost zeros', yaml: '0123', message: /must be text, or/ },
  { what: 'a list', yaml: '[a]', message: /must be text, or/ },
  { what: 'a variable that is not set', yaml: '"${OTHER}"', message: /OTHER, which is not set/ },
  { what: 'an empty file', yaml: '{ file: empty }', message: /the file is empty/ },
  {
    what: 'a file that is not there',
    yaml: '{ file: no }',
    message: /can not be read: there is no/,
  },
  { what: 'a mapping without a file', yaml: '{}', message: /file is missing/ },
  { what: 'a mapping with more', yaml: '{ file: s, x: 1 }', message: /x: is not a known key/ },
];

for (const { what, yaml, message } of badSecrets) {
  t.test(`a secret is not ${what}`, async (t) => {
    const files = { '/folder/empty': '\n', '/folder/s': 's' };
    t.match((await read(yaml, secret, files)).problems, [message]);
  });
}

t.test('a record takes any key and has no prototype', async (t) => {
  const { value } = await read('{ __proto__: x, b: y }', { patternProperties: { '^.*$': text } });
  t.equal(Object.getPrototypeOf(value), null);
  t.same(Object.entries(value as object), [
    ['__proto__', 'x'],
    ['b', 'y'],
  ]);
});

t.test('lists and records have bounds', async (t) => {
  const list: ReadableSchema = { items: text, minItems: 1, maxItems: 2 };
  t.match((await read('[]', list)).problems, [/1 to 2 items/]);
  t.match((await read('[a, b, c]', list)).problems, [/1 to 2 items/]);
  t.same((await read('[a, b]', list)).value, ['a', 'b']);
  t.match((await read('a', list)).problems, [/must be a list/]);
  const record: ReadableSchema = { patternProperties: { '^.*$': text }, minProperties: 1 };
  t.match((await read('{}', record)).problems, [/must not be empty/]);
});

t.test('each item of a list is reported by its number', async (t) => {
  t.same((await read('[a, B, C]', { items: text })).problems, [
    '1:5 [1]: must be small letters',
    '1:8 [2]: must be small letters',
  ]);
});

t.test('a leaf without a reader is our own mistake', async (t) => {
  await t.rejects(read('x', { leaf: 'text' }), TypeError);
});
