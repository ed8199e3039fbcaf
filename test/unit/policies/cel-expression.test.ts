import t from 'tap';
import { type CelVariables, compileExpression } from '../../../src/policies/cel-expression.ts';
import type { Json } from '../../../src/kernel/json.ts';
import { readJson } from '../../../src/kernel/json.ts';

function evaluate(expression: string, predicate: Json, more: Partial<CelVariables> = {}) {
  const compiled = compileExpression(expression);
  if ('problem' in compiled) throw new TypeError(compiled.problem);
  return compiled.evaluate({
    predicate,
    predicateType: 'type',
    subject: [],
    artifact: { repository: 'ghcr.io/acme/app', digest: 'sha256:0' },
    ...more,
  });
}

const builder = { runDetails: { builder: { id: 'https://github.com/actions/runner' } } };

const decided = [
  ['predicate.runDetails.builder.id.startsWith("https://github.com/")', builder, true],
  ['predicate.runDetails.builder.id.startsWith("https://gitlab.com/")', builder, false],
  ['predicate["runDetails"]["builder"].id.endsWith("runner")', builder, true],
  ['predicate.list.exists(x, x.name == "b")', { list: [{ name: 'a' }, { name: 'b' }] }, true],
  ['predicate.list.all(x, x.name == "b")', { list: [{ name: 'a' }, { name: 'b' }] }, false],
  ['predicate.list.filter(x, x > 1).size() == 2', { list: [1, 2, 3] }, true],
  ['"b" in predicate.list', { list: ['a', 'b'] }, true],
  ['"b" in predicate', { b: 1 }, true],
  ['predicate.count == 3', { count: 3 }, true],
  ['predicate.count > 2 && predicate.count <= 3.0', { count: 3 }, true],
  ['type(predicate.name) == string', { name: 'a' }, true],
  ['has(predicate.name)', { name: null }, true],
  ['!has(predicate.name)', { name: null }, false],
  ['!("name" in predicate)', { name: null }, false],
  ['predicate.at < timestamp("2030-01-01T00:00:00Z")', { at: 1 }, 'error'],
  [
    'timestamp(predicate.at) < timestamp("2030-01-01T00:00:00Z")',
    { at: '2029-01-01T00:00:00Z' },
    true,
  ],
  ['predicate.version.matches("^v[0-9]+$")', { version: 'v12' }, true],
  ['predicate.version.matches("^v[0-9]+$")', { version: 'v12\n' }, false],
  ['predicate.missing == "a"', {}, 'error'],
  ['predicate.name', { name: 'a' }, 'error'],
  ['predicate.name.first == "a"', { name: 'a' }, 'error'],
  ['predicate.x == 1 / 0', { x: 1 }, 'error'],
] as const;

for (const [expression, predicate, expected] of decided) {
  t.test(`${expression} of ${JSON.stringify(predicate)} is ${expected}`, async (t) => {
    const result = evaluate(expression, predicate);
    if (expected === 'error') t.match(result, { problem: /./ });
    else t.equal(result, expected);
  });
}

t.test('the subject, the type and the artifact can be spoken of', async (t) => {
  const subject = [{ name: 'a', digest: { sha256: '00' } }];
  t.equal(
    evaluate('subject[0].digest.sha256 == "00" && subject.size() == 1', null, { subject }),
    true,
  );
  t.equal(evaluate('predicate == null && predicateType == "type"', null), true);
  const own = 'predicate.name == artifact.repository';
  t.equal(evaluate(own, { name: 'ghcr.io/acme/app' }), true);
  t.equal(evaluate(own, { name: 'ghcr.io/acme/app-evil' }), false);
});

t.test(
  'names that mean something to JavaScript or the library are names like others',
  async (t) => {
    const predicate = readJson(
      '{"constructor":{"name":"Map"},"__proto__":"p","$typeName":"google.protobuf.Any","toString":1}',
    );
    t.equal(evaluate('predicate.constructor.name == "Map"', predicate), true);
    t.equal(evaluate('predicate["__proto__"] == "p"', predicate), true);
    t.equal(evaluate('predicate["$typeName"] == "google.protobuf.Any"', predicate), true);
    t.equal(evaluate('has(predicate.hasOwnProperty)', predicate), false);
  },
);

const bad = [
  ['predicate.a ==', /is no CEL: .*1:13/],
  ['', /is no CEL/],
  ['true', /says nothing of the predicate/],
  ['predicateType == "a"', /says nothing of the predicate/],
  ['[1].exists(predicate, predicate == 1)', /says nothing of the predicate/],
  ['predicate.a == secret', /speaks of secret, which is not there; there are predicate, /],
  ['predicate.a == x && [1].all(x, x == 1)', /speaks of x/],
  ['lookup(predicate.a)', /calls lookup, which is no function of CEL/],
  ['predicate.a.lowerAscii() == "b"', /calls lowerAscii/],
  ['predicate.a.matches(predicate.b)', /a pattern for matches that is no literal/],
  ['predicate.a.matches("(")', /a pattern that is none of RE2/],
  [`predicate.a.matches("${'a'.repeat(1025)}")`, /a pattern longer than 1024/],
  ['google.protobuf.Any{} == predicate', /makes a message/],
  ['predicate.a.all(x, x.b.all(y, y.c.all(z, z == 1)))', /loops nested deeper than 2/],
  [Array.from({ length: 9 }, () => 'predicate.a.all(x, x == 1)').join(' && '), /more than 8 loops/],
  [`predicate.a == "${'a'.repeat(2048)}"`, /longer than 2048 characters/],
] as const;

for (const [expression, problem] of bad) {
  t.test(`refused: ${expression.slice(0, 60)}`, async (t) => {
    t.match(compileExpression(expression), { problem });
  });
}

t.test('what an expression costs and reads is known before it runs', async (t) => {
  const compiled = compileExpression(
    'predicate.a.b.all(x, x.c.exists(y, y == predicate.d)) && {"k": predicate.e}["k"].matches("^a$")',
  );
  if ('problem' in compiled) throw new TypeError(compiled.problem);
  const { loops, loopDepth, patterns, paths, variables } = compiled.shape;
  t.equal(loops, 2);
  t.equal(loopDepth, 2);
  t.same(patterns, ['^a$']);
  t.same(paths, [
    ['predicate', 'a', 'b'],
    ['predicate', 'd'],
    ['predicate', 'e'],
  ]);
  t.same([...variables], ['predicate']);
});

t.test('brackets in brackets are read in no time', async (t) => {
  const nested = `${'('.repeat(200)}predicate.a == 1${')'.repeat(200)}`;
  t.ok(compileExpression(nested));
});
