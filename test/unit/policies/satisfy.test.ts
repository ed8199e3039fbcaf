import * as fc from 'fast-check';
import t from 'tap';
import type { NonEmpty } from '../../../src/kernel/non-empty.ts';
import type { Requirement } from '../../../src/policies/policy.ts';
import { type Proofs, satisfy } from '../../../src/policies/satisfy.ts';
import { holds } from '../../support/holds.ts';

type Members = NonEmpty<Requirement>;

const by = (signedBy: string): Requirement => ({ signedBy });
const allOf = (...members: Members): Requirement => ({ allOf: members });
const anyOf = (...members: Members): Requirement => ({ anyOf: members });
const atLeast = (count: number, ...of: Members): Requirement => ({ atLeast: { count, of } });

/** `{ a: '12' }`: identity a is proven by key 1 and by key 2. */
function proofs(keys: Readonly<Record<string, string>>): Proofs {
  return new Map(Object.entries(keys).map(([name, own]) => [name, new Set(own)]));
}

const [a, b, c, d] = [by('a'), by('b'), by('c'), by('d')];

const table: readonly {
  readonly what: string;
  readonly requirement: Requirement;
  readonly keys: Readonly<Record<string, string>>;
  readonly result: 'met' | 'not-met';
}[] = [
  { what: 'signedBy with a proof', requirement: a, keys: { a: '1' }, result: 'met' },
  { what: 'signedBy with none', requirement: a, keys: { b: '1' }, result: 'not-met' },
  { what: 'signedBy with an empty set', requirement: a, keys: { a: '' }, result: 'not-met' },
  { what: 'allOf with all', requirement: allOf(a, b), keys: { a: '1', b: '2' }, result: 'met' },
  { what: 'allOf with one', requirement: allOf(a, b), keys: { a: '1' }, result: 'not-met' },
  {
    what: 'allOf by one signature that fits both identities',
    requirement: allOf(a, b),
    keys: { a: '1', b: '1' },
    result: 'met',
  },
  { what: 'anyOf with one', requirement: anyOf(a, b), keys: { b: '1' }, result: 'met' },
  { what: 'anyOf with none', requirement: anyOf(a, b), keys: {}, result: 'not-met' },
  {
    what: 'atLeast by distinct identities and keys',
    requirement: atLeast(2, a, b, c),
    keys: { a: '1', c: '2' },
    result: 'met',
  },
  {
    what: 'atLeast by one signature that fits two identities',
    requirement: atLeast(2, a, b, c),
    keys: { a: '1', b: '1' },
    result: 'not-met',
  },
  {
    what: 'atLeast by two keys of one identity',
    requirement: atLeast(2, a, b),
    keys: { a: '12' },
    result: 'not-met',
  },
  {
    what: 'atLeast with one identity listed twice',
    requirement: atLeast(2, a, a, b),
    keys: { a: '12' },
    result: 'not-met',
  },
  {
    what: 'atLeast where the first key must be left to another',
    requirement: atLeast(2, a, b),
    keys: { a: '12', b: '1' },
    result: 'met',
  },
  {
    what: 'atLeast where keys move along a chain of three',
    requirement: atLeast(3, a, b, c),
    keys: { a: '12', b: '23', c: '1' },
    result: 'met',
  },
  {
    what: 'atLeast of three by two keys',
    requirement: atLeast(3, a, b, c),
    keys: { a: '12', b: '12', c: '12' },
    result: 'not-met',
  },
  {
    what: 'atLeast with a composed member by keys of their own',
    requirement: atLeast(2, allOf(a, b), c),
    keys: { a: '1', b: '2', c: '3' },
    result: 'met',
  },
  {
    what: 'atLeast with a composed member that shares a key with another',
    requirement: atLeast(2, allOf(a, b), c),
    keys: { a: '1', b: '2', c: '2' },
    result: 'not-met',
  },
  {
    what: 'atLeast with a composed member that shares an identity with another',
    requirement: atLeast(2, allOf(a, b), a),
    keys: { a: '12', b: '3' },
    result: 'not-met',
  },
  {
    what: 'atLeast where anyOf must take its second choice',
    requirement: atLeast(2, anyOf(a, b), a),
    keys: { a: '1', b: '2' },
    result: 'met',
  },
  {
    what: 'atLeast in atLeast by three keys',
    requirement: atLeast(2, atLeast(2, a, b), c),
    keys: { a: '1', b: '2', c: '3' },
    result: 'met',
  },
  {
    what: 'atLeast in atLeast by two keys',
    requirement: atLeast(2, atLeast(2, a, b), c),
    keys: { a: '1', b: '2', c: '12' },
    result: 'not-met',
  },
  {
    what: 'atLeast under allOf leaves its keys to the others',
    requirement: allOf(atLeast(2, a, b), c),
    keys: { a: '1', b: '2', c: '1' },
    result: 'met',
  },
  {
    what: 'atLeast that leaves out a member which stands in the way',
    requirement: atLeast(2, allOf(a, b), c, d),
    keys: { a: '1', b: '2', c: '1', d: '2' },
    result: 'met',
  },
];

for (const { what, requirement, keys, result } of table) {
  t.test(`${what}: ${result}`, async (t) => {
    t.equal(satisfy(requirement, proofs(keys)), result);
  });
}

t.test('a search without end is given up, and says so', async (t) => {
  const names = Array.from({ length: 24 }, (_, index) => `n${index}`);
  const members = names.map((name) => allOf(by(name), by(name))) as unknown as Members;
  const scarce = new Map(names.map((name) => [name, new Set('12345678901')]));
  t.equal(satisfy(atLeast(12, ...members), scarce), 'unknown');
});

t.test('many plain members are decided without a search', async (t) => {
  const names = Array.from({ length: 64 }, (_, index) => `n${index}`);
  const keys = new Set(names.slice(1));
  const members = names.map(by) as unknown as Members;
  const all = new Map(names.map((name) => [name, keys]));
  t.equal(satisfy(atLeast(63, ...members), all), 'met');
  t.equal(satisfy(atLeast(64, ...members), all), 'not-met');
});

const names = fc.constantFrom('a', 'b', 'c', 'd');
const { requirement: requirements } = fc.letrec<{ requirement: Requirement; members: Members }>(
  (tie) => ({
    requirement: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      names.map(by),
      tie('members').map((members) => allOf(...members)),
      tie('members').map((members) => anyOf(...members)),
      fc
        .tuple(fc.integer({ min: 1, max: 3 }), tie('members'))
        .map(([count, members]) => atLeast(count, ...members)),
    ),
    members: fc.array(tie('requirement'), {
      minLength: 1,
      maxLength: 3,
    }) as fc.Arbitrary<unknown> as fc.Arbitrary<Members>,
  }),
);
const someProofs = fc
  .array(fc.tuple(names, fc.constantFrom('1', '2', '3')), { maxLength: 6 })
  .map((pairs) =>
    pairs.reduce(
      (all, [name, key]) => all.set(name, new Set([...(all.get(name) ?? []), key])),
      new Map<string, Set<string>>(),
    ),
  );

/** Every set of proofs that is just enough, written down the slow way. */
function witnesses(requirement: Requirement, all: Proofs): readonly (readonly string[])[] {
  if ('signedBy' in requirement) {
    return [...(all.get(requirement.signedBy) ?? [])].map((key) => [
      `${requirement.signedBy} ${key}`,
    ]);
  }
  if ('attestation' in requirement) return [];
  if ('anyOf' in requirement) return requirement.anyOf.flatMap((member) => witnesses(member, all));
  if ('allOf' in requirement) {
    return requirement.allOf.reduce<readonly (readonly string[])[]>(
      (sets, member) =>
        sets.flatMap((set) => witnesses(member, all).map((own) => [...set, ...own])),
      [[]],
    );
  }
  const { count, of } = requirement.atLeast;
  const words = (set: readonly string[]) => new Set(set.flatMap((proof) => proof.split(' ')));
  const choose = (index: number, left: number): readonly (readonly (readonly string[])[])[] => {
    const member = of[index];
    if (left === 0) return [[]];
    if (member === undefined) return [];
    const taken = witnesses(member, all).flatMap((own) =>
      choose(index + 1, left - 1)
        .filter((others) =>
          others.every((other) => [...words(other)].every((one) => !words(own).has(one))),
        )
        .map((others) => [own, ...others]),
    );
    return [...taken, ...choose(index + 1, left)];
  };
  return choose(0, count).map((sets) => sets.flat());
}

t.test('the search finds what trying everything finds', async (t) => {
  await holds(
    t,
    'search equals enumeration',
    fc.property(requirements, someProofs, (requirement, all) => {
      const expected = witnesses(requirement, all).length > 0 ? 'met' : 'not-met';
      return satisfy(requirement, all) === expected;
    }),
  );
});

t.test('another proof never makes a met requirement unmet', async (t) => {
  await holds(
    t,
    'monotone',
    fc.property(requirements, someProofs, names, (requirement, all, name) => {
      const more = new Map(all).set(name, new Set([...(all.get(name) ?? []), 'another']));
      return satisfy(requirement, all) === 'not-met' || satisfy(requirement, more) === 'met';
    }),
  );
});
