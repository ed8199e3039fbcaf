import * as fc from 'fast-check';
import t from 'tap';
import {
  asSet,
  canonicalText,
  digestOfMeaning,
  meaningOfIdentity,
  meaningOfRequirement,
} from '../../../src/policies/canonical.ts';
import { enforcementOf } from '../../../src/policies/notation-level.ts';
import type {
  NotationRequirement,
  NotationTrustStoreName,
} from '../../../src/verdict/identity-requirement.ts';
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

t.test('an identity means its statements, whatever their order and its names', async (t) => {
  const requirement = (stores: readonly NotationTrustStoreName[]): NotationRequirement => ({
    level: 'strict',
    enforcement: enforcementOf('strict', new Map()),
    verifyTimestamp: 'always',
    revocationTime: 'now',
    trustStores: stores,
    trustedIdentities: [
      new Map([
        ['C', 'US'],
        ['O', 'acme'],
      ]),
    ],
  });
  const inline = (stores: readonly NotationTrustStoreName[]) =>
    canonicalText(meaningOfIdentity({ kind: 'inline', requirement: requirement(stores) }));
  t.equal(inline(['ca:a', 'ca:b']), inline(['ca:b', 'ca:a']));
  t.not(inline(['ca:a']), inline(['ca:b']));

  const statement = (scope: string, store: NotationTrustStoreName) => ({
    name: scope,
    registryScopes: [scope],
    requirement: requirement([store]),
  });
  const file = (...statements: readonly ReturnType<typeof statement>[]) =>
    canonicalText(
      meaningOfIdentity({
        kind: 'policy-file',
        policy: { statements, statementFor: () => undefined },
      }),
    );
  const [one, two] = [statement('a/b', 'ca:a'), statement('a/c', 'ca:b')];
  t.equal(file(one, two), file(two, one));
  t.not(file(one), file(statement('a/b', 'ca:b')));
  t.not(file(one), file(statement('a/c', 'ca:a')));
  t.not(file(one), inline(['ca:a']));
});
