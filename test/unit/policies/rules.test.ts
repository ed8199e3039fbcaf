import t from 'tap';
import { readRule } from '../../../src/policies/rules.ts';
import { placeOf } from '../../support/policy-kit.ts';

const known = { identities: new Set(['a', 'b']) };
const digest = `sha256:${'0'.repeat(64)}`;
const until = '2026-12-31T00:00:00Z';
const exempt = `exempt: { reason: INC-1, owner: sre@acme.example, until: ${until} }`;

function read(yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  return { rule: readRule(place, 3, known, report), messages: messages() };
}

t.test('a rule has its number and line as a name', async (t) => {
  const { rule } = read('\n\nrepositories: [a/**]\nrequire: { signedBy: a }');
  t.match(rule, { name: 'rule 3 (line 3)', line: 3 });
});

t.test('a rule that requires covers the index unless told', async (t) => {
  t.match(read('{ repositories: [a/**], require: { signedBy: a } }').rule, {
    repositories: [{ text: 'a/**' }],
    digests: undefined,
    decision: {
      kind: 'require',
      requirement: { signedBy: 'a' },
      covers: 'index',
      auditUntil: undefined,
    },
  });
});

t.test('covers: platforms and mode: audit are read', async (t) => {
  const yaml = `{ repositories: [a/**], require: { signedBy: a }, covers: platforms, mode: audit, until: ${until} }`;
  t.match(read(yaml).rule?.decision, { covers: 'platforms', auditUntil: new Date(until) });
});

t.test('a rule that exempts pins digests, in any repository or in some', async (t) => {
  const { rule } = read(`{ digests: ["${digest}"], ${exempt} }`);
  t.match(rule, {
    repositories: undefined,
    decision: {
      kind: 'exempt',
      reason: 'INC-1',
      owner: 'sre@acme.example',
      until: new Date(until),
    },
  });
  t.same([...(rule?.digests ?? [])], [digest]);
  t.equal(read(`{ repositories: [a/b], digests: ["${digest}"], ${exempt} }`).messages.length, 0);
});

t.test('tag rules are read', async (t) => {
  const { rule } = read(
    '{ repositories: [a/**], require: { signedBy: a }, tags: { maxSignatureAge: 90d } }',
  );
  const tags = { rollback: 'allow', allowedRollbacks: [], maxSignatureAgeMs: 90 * 86_400_000 };
  t.match(rule?.decision, { tags });
});

const require = 'require: { signedBy: a }';
const bad = [
  [`{ ${require} }`, /must say what it is for/],
  ['{ repositories: [a/**] }', /exactly one of require and exempt/],
  [`{ repositories: [a/**], ${require}, ${exempt} }`, /exactly one of require and exempt/],
  [`{ repositories: [], ${require} }`, /repositories: must not be empty/],
  [`{ repositories: a/**, ${require} }`, /repositories: must be a list/],
  [`{ repositories: [a], ${require} }`, /"a" matches no repository/],
  [`{ repositories: [1], ${require} }`, /repositories\[0\]: must be text/],
  [`{ digests: [], ${require} }`, /digests: must not be empty/],
  [`{ digests: ["sha256:0"], ${require} }`, /is no digest/],
  [`{ digests: ["${digest.toUpperCase()}"], ${require} }`, /is no digest/],
  [`{ digests: [5], ${require} }`, /digests\[0\]: must be text/],
  [`{ repositories: [a/**], ${require}, covers: all }`, /covers: must be index or platforms/],
  [`{ repositories: [a/**], ${require}, mode: audit }`, /audit must carry until/],
  [`{ repositories: [a/**], ${require}, mode: enforce, until: ${until} }`, /mode: must be audit/],
  [`{ repositories: [a/**], ${require}, until: ${until} }`, /until: has no meaning without mode/],
  [`{ repositories: [a/**], ${require}, mode: audit, until: soon }`, /until: must be a time/],
  ['{ repositories: [a/**], exempt: {} }', /reason is missing/],
  [
    '{ repositories: [a/**], exempt: { owner: x, until: 2026-12-31T00:00:00Z } }',
    /reason is missing/,
  ],
  [
    '{ repositories: [a/**], exempt: { reason: x, until: 2026-12-31T00:00:00Z } }',
    /owner is missing/,
  ],
  ['{ repositories: [a/**], exempt: { reason: x, owner: y } }', /until is missing/],
  [
    '{ repositories: [a/**], exempt: { reason: "", owner: y, until: 2026-12-31T00:00:00Z } }',
    /reason: must not be empty/,
  ],
  [`{ repositories: [a/**], ${exempt}, covers: index }`, /covers: has no meaning beside exempt/],
  [`{ repositories: [a/**], ${exempt}, mode: audit }`, /mode: has no meaning beside exempt/],
  [`{ repositories: [a/**], ${exempt}, until: ${until} }`, /until: has no meaning beside exempt/],
  [`{ repositories: [a/**], ${exempt}, tags: { rollback: deny } }`, /tags: has no meaning beside/],
  [
    `{ repositories: [a/**], ${require}, tags: { rollback: no } }`,
    /tags.rollback: must be deny or/,
  ],
  [`{ repositories: [a/**], ${require}, extra: 1 }`, /extra: is not a known key/],
  ['[]', /must be a mapping/],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`refused: ${yaml.slice(0, 90)}`, async (t) => {
    t.match(read(yaml).messages.join('\n'), problem);
  });
}

t.test('all mistakes of a rule come together', async (t) => {
  const yaml =
    '{ repositories: [a], require: { signedBy: x }, covers: all, mode: audit, extra: 1 }';
  t.equal(read(yaml).messages.length, 5);
});
