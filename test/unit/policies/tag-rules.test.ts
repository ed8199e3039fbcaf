import t from 'tap';
import { readTagRules } from '../../../src/policies/tag-rules.ts';
import { placeOf } from '../../support/policy-kit.ts';

const digest = `sha256:${'1'.repeat(64)}`;

function read(yaml: string) {
  const { place, report, messages } = placeOf(yaml);
  return { rules: readTagRules(place, report), messages: messages() };
}

t.test('an age alone leaves rollbacks allowed', async (t) => {
  t.same(read('{ maxSignatureAge: 12h }'), {
    rules: { rollback: 'allow', allowedRollbacks: [], maxSignatureAgeMs: 12 * 3_600_000 },
    messages: [],
  });
});

t.test('an allowed rollback has a digest, a reason, an owner and an end', async (t) => {
  const until = '2030-01-02T00:00:00Z';
  const yaml = `{ rollback: deny, allowedRollbacks: [{ digest: "${digest}", reason: INC-7, owner: sre, until: ${until} }] }`;
  t.same(read(yaml).rules?.allowedRollbacks, [
    { digest, reason: 'INC-7', owner: 'sre', until: new Date(until) },
  ]);
});

const entry = `digest: "${digest}", reason: r, owner: o, until: 2030-01-02T00:00:00Z`;
const bad = [
  ['{}', /must not be empty/],
  ['[]', /must be a mapping/],
  ['{ rollback: never }', /rollback: must be deny or warn or allow/],
  ['{ rollback: deny, maxSignatureAge: 90 }', /maxSignatureAge: must be a time span/],
  ['{ rollback: deny, maxSignatureAge: 0d }', /maxSignatureAge: must be a time span/],
  ['{ rollback: deny, monotonic: yes }', /monotonic: is not a known key/],
  ['{ rollback: deny, allowedRollbacks: [] }', /allowedRollbacks: must not be empty/],
  [`{ rollback: allow, allowedRollbacks: [{ ${entry} }] }`, /has no meaning where rollback is not/],
  [`{ allowedRollbacks: [{ ${entry} }] }`, /has no meaning where rollback is not/],
  [`{ rollback: deny, allowedRollbacks: [{ ${entry}, tag: v1 }] }`, /tag: is not a known key/],
  ...['digest', 'reason', 'owner', 'until'].map((key) => {
    const rest = entry.split(', ').filter((pair) => !pair.startsWith(key));
    const yaml = `{ rollback: deny, allowedRollbacks: [{ ${rest.join(', ')} }] }`;
    return [yaml, new RegExp(`${key} is missing`)] as const;
  }),
  [`{ rollback: deny, allowedRollbacks: [{ ${entry.replace(':11', ':1')} }] }`, /is no digest/],
  [
    `{ rollback: deny, allowedRollbacks: [{ ${entry.replace('2030-01-02T00:00:00Z', 'soon')} }] }`,
    /until: must be a time with zone/,
  ],
] as const;

for (const [yaml, problem] of bad) {
  t.test(`refused: ${yaml.slice(0, 100)}`, async (t) => {
    t.match(read(yaml).messages.join('\n'), problem);
  });
}
