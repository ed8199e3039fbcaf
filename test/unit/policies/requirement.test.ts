import t from 'tap';
import { identitiesOf, membersOf, readRequirement } from '../../../src/policies/requirement.ts';
import { placeOf } from '../../support/policy-kit.ts';

const known = { identities: new Set(['a', 'b', 'c']) };

function read(yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  return { requirement: readRequirement(place, known, report), messages: messages() };
}

const good = [
  ['{ signedBy: a }', { signedBy: 'a' }],
  [
    '{ allOf: [{ signedBy: a }, { signedBy: b }] }',
    { allOf: [{ signedBy: 'a' }, { signedBy: 'b' }] },
  ],
  ['{ anyOf: [{ signedBy: a }] }', { anyOf: [{ signedBy: 'a' }] }],
  [
    '{ atLeast: { count: 1, of: [{ anyOf: [{ signedBy: a }] }, { signedBy: b }] } }',
    { atLeast: { count: 1, of: [{ anyOf: [{ signedBy: 'a' }] }, { signedBy: 'b' }] } },
  ],
] as const;

for (const [yaml, requirement] of good) {
  t.test(`${yaml} is a requirement`, async (t) => {
    const found = read(yaml);
    t.same(found.requirement, requirement);
    t.same(found.messages, []);
  });
}

const bad = [
  ['{}', /must have exactly one of signedBy, attestation, allOf, anyOf, atLeast/],
  ['{ signedBy: a, anyOf: [{ signedBy: b }] }', /must have exactly one/],
  ['signedBy', /must be a mapping/],
  ['{ signedBy: x }', /no identity has the name "x"; there are "a", "b", "c"/],
  ['{ signedBy: [a] }', /signedBy: must be text/],
  ['{ allOf: [] }', /allOf: must not be empty/],
  ['{ anyOf: [] }', /anyOf: must not be empty/],
  ['{ atLeast: { count: 1, of: [] } }', /of: must not be empty/],
  [
    '{ atLeast: { count: 0, of: [{ signedBy: a }] } }',
    /count: must be a whole number of at least 1/,
  ],
  ['{ atLeast: { count: 2, of: [{ signedBy: a }] } }', /count: can never be met: `of` has 1/],
  [
    '{ atLeast: { count: 2, of: [{ signedBy: a }, { signedBy: a }] } }',
    /can never be met: `of` has 1 different/,
  ],
  ['{ atLeast: { of: [{ signedBy: a }] } }', /count is missing/],
  ['{ atLeast: { count: 1 } }', /of is missing/],
  ['{ atLeast: 2 }', /atLeast: must be a mapping/],
  ['{ unknown: a }', /unknown: is not a known key/],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`${yaml} is refused`, async (t) => {
    const { requirement, messages } = read(yaml);
    t.equal(requirement, undefined);
    t.match(messages.join('\n'), problem);
  });
}

t.test('what comes in a later version is refused by name, and only for that', async (t) => {
  t.same(read('{ noneOf: [{ signedBy: a }] }').messages, [
    '$.noneOf: is not supported by this version of assay',
  ]);
});

t.test('every mistake in a nested requirement is reported', async (t) => {
  const { messages } = read('{ allOf: [{ signedBy: x }, { anyOf: [] }, { signedBy: a }] }');
  t.match(messages, [/allOf\[0\].signedBy/, /allOf\[1\].anyOf/]);
});

t.test('nesting and lists have bounds', async (t) => {
  const nested = `${'{ anyOf: ['.repeat(6)}{ signedBy: a }${'] }'.repeat(6)}`;
  t.match(read(nested).messages, [/nested deeper than 6 levels/]);
  const many = Array.from({ length: 65 }, () => '{ signedBy: a }').join(', ');
  t.match(read(`{ anyOf: [${many}] }`).messages, [/more than 64 items/]);
});

t.test('without identities the message says that there are none', async (t) => {
  const { place, report, messages } = placeOf('{ signedBy: a }');
  readRequirement(place, { identities: new Set() }, report);
  t.match(messages(), [/there are none/]);
});

t.test('the identities of a requirement come each once, in order', async (t) => {
  const { requirement } = read(
    '{ allOf: [{ signedBy: b }, { atLeast: { count: 1, of: [{ signedBy: a }, { signedBy: b }] } }] }',
  );
  t.same(requirement && identitiesOf(requirement), ['b', 'a']);
  t.equal(requirement && 'allOf' in requirement ? membersOf(requirement).length : 0, 2);
});
