import t from 'tap';
import { readYaml, type YamlNode } from '../../../src/files/yaml.ts';

function plain(node: YamlNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return node.entries.map(({ key, value }) => [key, plain(value)]);
}

const messagesOf = (text: string, maxNodes?: number) =>
  readYaml(text, maxNodes).problems.map(({ at, path, message }) => ({
    at: `${at.line}:${at.column}`,
    path,
    message,
  }));

t.test('values come with the line and column where they stand', async (t) => {
  const { root, problems } = readYaml('a: 1\nb:\n  - x\n  - { c: true }\n');
  t.same(problems, []);
  t.same(plain(root), [
    ['a', 1],
    ['b', ['x', [['c', true]]]],
  ]);
  t.match(root, {
    kind: 'map',
    at: { line: 1, column: 1 },
    entries: [
      { key: 'a', at: { line: 1, column: 1 } },
      { value: { items: [{ at: { line: 3, column: 5 } }, { at: { line: 4, column: 5 } }] } },
    ],
  });
});

t.test('times stay text, and yes and no are no booleans', async (t) => {
  t.same(plain(readYaml('{ t: 2026-01-01T00:00:00Z, y: yes }').root), [
    ['t', '2026-01-01T00:00:00Z'],
    ['y', 'yes'],
  ]);
});

t.test('a key without a value is null where it stands', async (t) => {
  const { root } = readYaml('{ a, b: }');
  t.same(plain(root), [
    ['a', null],
    ['b', null],
  ]);
  t.same(plain(readYaml('').root), null);
});

t.test('__proto__ is a key like any other', async (t) => {
  t.same(plain(readYaml('__proto__: 1').root), [['__proto__', 1]]);
});

t.test('an alias counts as what it stands for', async (t) => {
  t.same(plain(readYaml('a: &x [1]\nb: *x').root), [
    ['a', [1]],
    ['b', [1]],
  ]);
});

const refused = [
  { what: 'a key that stands twice', text: 'a: 1\na: 2', at: '2:1', message: /twice.*line 1/ },
  { what: 'a key that is a number', text: '3: x', at: '1:1', message: /key must be text/ },
  {
    what: 'a key that is a mapping',
    text: '? {a: b}\n: c',
    at: '1:1',
    message: /key must be text/,
  },
  { what: 'an alias without an anchor', text: 'a: *x', at: '1:4', message: /no anchor before/ },
  { what: 'an alias before its anchor', text: 'a: *x\nb: &x 1', at: '1:4', message: /no anchor/ },
  { what: 'an unknown tag', text: 'a: !foo x', at: '1:4', message: /Unresolved tag/ },
  { what: 'a binary value', text: 'a: !!binary aGk=', at: '1:13', message: /not supported/ },
  { what: 'a second document', text: 'a: 1\n---\nb: 2', at: '2:1', message: /multiple documents/ },
  { what: 'YAML 1.1', text: '%YAML 1.1\n---\na: on', at: '1:1', message: /only YAML 1.2/ },
  { what: 'an alias to itself', text: '&a [*a]', at: '1:4', message: /deeper than 32/ },
  { what: 'a tab as indentation', text: 'a:\n\tb: 1', at: '2:1', message: /Tabs are not allowed/ },
] as const;

for (const { what, text, at, message } of refused) {
  t.test(`${what} is a problem where it stands`, async (t) => {
    t.match(messagesOf(text), [{ at, message }]);
  });
}

t.test('problems that leave the rest readable come together with it', async (t) => {
  const { root, problems } = readYaml('a: 1\na: 2\nb: *x\nc: 3');
  t.equal(problems.length, 2);
  t.same(plain(root), [
    ['a', 1],
    ['b', null],
    ['c', 3],
  ]);
});

t.test('all syntax errors come at once, and no value with them', async (t) => {
  const { root, problems } = readYaml('a: !foo x\nb: "q');
  t.equal(problems.length, 2);
  t.equal(root, undefined);
});

t.test(
  'a syntax error does not repeat the text, and what follows from it is left out',
  async (t) => {
    const lines = Array.from({ length: 50 }, (_, index) => `key${index}: hunter2`).join('\n');
    const messages = messagesOf(`a: { b: $x{y} }\n${lines}`);
    t.ok(messages.length > 0 && messages.length < 5);
    t.notMatch(JSON.stringify(messages), /hunter2/);
  },
);

t.test('aliases that multiply are cut off at the bound', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    const below = `*a${level - 1}`;
    lines.push(`a${level}: &a${level} [${Array.from({ length: 8 }, () => below).join(', ')}]`);
  }
  t.match(messagesOf(lines.join('\n'), 10_000), [{ message: /more than 10000 values/ }]);
});

t.test('brackets without end are a bounded number of problems', async (t) => {
  for (const opening of ['[', '- ', '{a: ']) {
    const { root, problems } = readYaml(opening.repeat(20_000));
    t.equal(root, undefined);
    t.ok(problems.length > 0 && problems.length <= 20);
    t.match(problems[0]?.message, /deeper than 32 levels/);
  }
});

t.test('a path names keys and positions from the top', async (t) => {
  t.match(messagesOf('a:\n  b.c:\n    - { d: 1, d: 2 }'), [{ path: 'a["b.c"][0].d' }]);
});
