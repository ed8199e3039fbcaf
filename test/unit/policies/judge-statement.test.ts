import * as fc from 'fast-check';
import t from 'tap';
import type { Condition } from '../../../src/policies/conditions/condition.ts';
import { predicateTypes } from '../../../src/policies/conditions/predicate-types.ts';
import { judgeStatement } from '../../../src/policies/judge-statement.ts';
import { holds } from '../../support/holds.ts';
import {
  requirementOf,
  signedStatement,
  statementOf,
  taskOf,
  types,
} from '../../support/attestation-kit.ts';

const where = (expression: string): Condition => ({
  name: 'where',
  expression,
  loops: 0,
  patterns: [],
});
const builder: Condition = { name: 'slsa.builder', ids: [{ kind: 'exact', text: 'b' }] };
const good = { runDetails: { builder: { id: 'b' } }, branch: 'main' };
const both = requirementOf([types.slsa], [builder, where('predicate.branch == "main"')]);

t.test('a statement that meets every condition meets the requirement', async (t) => {
  const found = await judgeStatement(taskOf(both, statementOf(types.slsa, good)));
  t.same(found.meets, [both.digest]);
  t.equal(found.predicateType, types.slsa);
  t.match(found.conditions, [
    { condition: 'predicateTypes', outcome: 'met' },
    { condition: 'slsa.builder', outcome: 'met' },
    {
      requirement: both.digest,
      condition: 'where "predicate.branch == \\"main\\""',
      outcome: 'met',
      because: 'predicate.branch is "main"',
    },
  ]);
});

t.test('without conditions the type is enough', async (t) => {
  const bare = requirementOf([types.slsa]);
  t.same((await judgeStatement(taskOf(bare, statementOf(types.slsa, null)))).meets, [bare.digest]);
});

t.test('one condition that is not met is enough to fail, and all are told', async (t) => {
  const found = await judgeStatement(
    taskOf(both, statementOf(types.slsa, { ...good, branch: 'evil' })),
  );
  t.same(found.meets, []);
  t.match(
    found.conditions.map(({ outcome }) => outcome),
    ['met', 'met', 'not-met'],
  );
  t.match(found.conditions.at(-1)?.because, /^it is false: predicate.branch is "evil"$/);
});

t.test('an error in CEL is a condition not met, and shows what was seen', async (t) => {
  const found = await judgeStatement(
    taskOf(both, statementOf(types.slsa, { runDetails: good.runDetails })),
  );
  t.same(found.meets, []);
  t.match(found.conditions.at(-1), {
    outcome: 'not-met',
    because: /could not be worked out: ".*branch.*": predicate.branch is absent/,
  });
});

t.test(
  'an expression that is no CEL meets nothing, even if the policy let it through',
  async (t) => {
    const broken = requirementOf([types.slsa], [where('predicate.')]);
    const found = await judgeStatement(taskOf(broken, statementOf(types.slsa, good)));
    t.same(found.meets, []);
    t.match(found.conditions.at(-1), { outcome: 'not-met', because: /is no CEL/ });
  },
);

t.test('what was seen is bounded, and printable', async (t) => {
  const found = await judgeStatement(
    taskOf(both, statementOf(types.slsa, { ...good, branch: `\u001b[2J${'x'.repeat(9000)}` })),
  );
  const because = found.conditions.at(-1)?.because ?? '';
  t.ok(because.length < 400);
  t.match(because, /\\u001b/);
});

t.test('another type meets nothing, and its bytes are not read', async (t) => {
  const task = taskOf(both, Buffer.from('no statement'), { predicateType: types.spdx });
  t.match(await judgeStatement(task), {
    meets: [],
    conditions: [{ condition: 'predicateTypes', outcome: 'not-met', because: /is none of https/ }],
  });
});

const malformed = [
  ['no JSON', Buffer.from('{'), /can not be read: it is no JSON/],
  ['no UTF-8', Buffer.from([0xff]), /not UTF-8/],
  ['no object', Buffer.from('[]'), /is no object/],
  ['a name twice', Buffer.from('{"_type":"a","_type":"b"}'), /stands twice/],
  ['another _type', statementOf(types.slsa, good, { _type: 'x' }), /is no in-toto statement/],
  ['no _type', statementOf(types.slsa, good, { _type: undefined }), /is no in-toto statement/],
  ['another type than was verified', statementOf(types.spdx, good), /its predicateType is not/],
  ['no subjects', statementOf(types.slsa, good, { subject: {} }), /no list of subjects/],
  ['too deep', statementOf(types.slsa, JSON.parse('['.repeat(80) + ']'.repeat(80))), /deeper than/],
] as const;

for (const [what, payload, because] of malformed) {
  t.test(`a statement with ${what} is a failed candidate`, async (t) => {
    const found = await judgeStatement(taskOf(both, payload));
    t.same(found.meets, []);
    t.match(found.conditions, [{ condition: 'statement', outcome: 'not-met', because }]);
  });
}

t.test('statements of version 0.1 are read too', async (t) => {
  const payload = statementOf(types.slsa, good, { _type: 'https://in-toto.io/Statement/v0.1' });
  t.same((await judgeStatement(taskOf(both, payload))).meets, [both.digest]);
});

t.test('each requirement is judged by itself', async (t) => {
  const other = requirementOf([types.slsa], [where('predicate.branch == "other"')]);
  const bare = requirementOf([types.spdx, types.slsa]);
  const task = taskOf(both, statementOf(types.slsa, good), { requirements: [both, other, bare] });
  t.same((await judgeStatement(task)).meets, [both.digest, bare.digest]);
});

t.test('the earliest end of what it meets is told', async (t) => {
  const signedBy = new Date('2029-12-31T00:00:00Z');
  const day = requirementOf([types.slsa], [], { maxAgeMs: 2 * 86_400_000, digest: 'two days' });
  const week = requirementOf([types.slsa], [], { maxAgeMs: 7 * 86_400_000, digest: 'a week' });
  const old = requirementOf([types.slsa], [], { maxAgeMs: 1000, digest: 'a second' });
  const payload = statementOf(types.slsa, good);
  const found = await judgeStatement(
    taskOf(day, payload, { requirements: [week, day, old], signedBy }),
  );
  t.same(found.meets, ['a week', 'two days']);
  t.same(found.freshUntil, new Date('2030-01-02T00:00:00Z'));
  const without = await judgeStatement(taskOf(both, payload, { signedBy }));
  t.equal(without.freshUntil, undefined);
});

t.test('no predicate makes any condition throw', async (t) => {
  const text = { kind: 'pattern', text: '.*' } as const;
  const conditions: readonly Condition[] = [
    { name: 'slsa.builder', ids: [text] },
    { name: 'slsa.source', repository: text, ref: text, path: undefined },
    { name: 'sbom.present', format: 'any' },
    { name: 'sbom.noLicense', licenses: ['*'] },
    { name: 'vuln.maxSeverity', severity: 'low', unknown: 'refused', except: [] },
    { name: 'vex.status', statuses: ['fixed'] },
    { name: 'vsa.level', levels: ['a'], verifier: text, resources: [] },
  ];
  const keys = fc.constantFrom(
    ...'packages components vulnerabilities scanner result Results matches statements verifier id'.split(
      ' ',
    ),
    ...'specVersion bomFormat spdxVersion buildDefinition externalParameters workflow uri'.split(
      ' ',
    ),
  );
  const words = fc.constantFrom(
    'CycloneDX',
    '1.5',
    'SPDX-2.3',
    'PASSED',
    '',
    '\u0000',
    'https://a/b@c',
  );
  const { tree: json } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      words,
      fc.jsonValue(),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const kinds = fc.constantFrom(...Object.values(predicateTypes).flat());
  await holds(
    t,
    'whatever stands there is met or not met',
    fc.asyncProperty(json, kinds, async (predicate, type) => {
      const requirements = conditions.map((condition) => requirementOf([type], [condition]));
      const [first = requirementOf([type])] = requirements;
      const task = taskOf(first, signedStatement(type, predicate).payload, { requirements });
      const { conditions: found } = await judgeStatement(task);
      return found.every(({ because }) => !/could not be worked out/.test(because ?? ''));
    }),
  );
});
