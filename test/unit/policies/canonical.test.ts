import fc from 'fast-check';
import t from 'tap';
import {
  asSet,
  canonicalText,
  digestOfMeaning,
  meaningOfRequirement,
} from '../../../src/policies/canonical.ts';
import { holds } from '../../support/holds.ts';

t.test('names are sorted, lists are not, sets are and lose doubles', async (t) => {
  t.equal(canonicalText({ b: [2, 1], a: null }), '{"a":null,"b":[2,1]}');
  t.equal(canonicalText(asSet(['b', 'a', 'b'])), '["a","b"]');
  t.equal(
    canonicalText(
      asSet([
        { b: 1, a: 2 },
        { a: 2, b: 1 },
      ]),
    ),
    '[{"a":2,"b":1}]',
  );
});

t.test('the digest is SHA-256 of the canonical text', async (t) => {
  t.equal(
    digestOfMeaning({}),
    '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    'as of the two bytes {}',
  );
});

t.test(
  'the order of members means nothing in a requirement, and counts and kinds do',
  async (t) => {
    const by = (signedBy: string) => ({ signedBy });
    const text = (requirement: Parameters<typeof meaningOfRequirement>[0]) =>
      canonicalText(meaningOfRequirement(requirement));
    t.equal(text({ allOf: [by('a'), by('b')] }), text({ allOf: [by('b'), by('a')] }));
    t.not(text({ allOf: [by('a'), by('b')] }), text({ anyOf: [by('a'), by('b')] }));
    const some = (count: number) => text({ atLeast: { count, of: [by('a'), by('b')] } });
    t.not(some(1), some(2));
  },
);

t.test('different texts are never one meaning', async (t) => {
  const plain = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Parameters<typeof canonicalText>[0]>;
  await holds(
    t,
    'canonical text is JSON of the same value',
    fc.property(
      plain,
      (value) => canonicalText(JSON.parse(canonicalText(value))) === canonicalText(value),
    ),
  );
});
