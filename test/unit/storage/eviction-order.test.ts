import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { digestOf, type Digest } from '../../../src/oci/digest.ts';
import type { StoredInfo } from '../../../src/storage/blob-store.ts';
import { evictionOrder, type GroupOf } from '../../../src/storage/eviction-order.ts';
import { holds } from '../../support/holds.ts';

interface Given {
  readonly name: string;
  /** Hours since the start of time. */
  readonly used: number;
  readonly isOpen?: boolean;
}

const digestOfName = (name: string): Digest => digestOf(Buffer.from(name));
const never = new AbortController().signal;

function makeStored(given: readonly Given[]) {
  const infos = new Map<Digest, StoredInfo>();
  const names = new Map<Digest, string>();
  for (const { name, used, isOpen = false } of given) {
    const digest = digestOfName(name);
    names.set(digest, name);
    infos.set(digest, { digest, size: 1, lastAccess: new Date(used * 3_600_000), isOpen });
  }
  const store = {
    stat: async (digest: Digest) => infos.get(digest),
    async *list() {
      yield* infos.values();
    },
  };
  return { infos, store, nameOf: (digest: Digest) => String(names.get(digest)) };
}

/** Takes each group away as it comes. */
async function takeAll(
  given: readonly Given[],
  groupOf: GroupOf = async () => [],
  maxCandidates?: number,
): Promise<readonly (readonly string[])[]> {
  const { infos, store, nameOf } = makeStored(given);
  const taken: string[][] = [];
  const options = { store, groupOf, ...(maxCandidates !== undefined && { maxCandidates }) };
  for await (const group of evictionOrder(options, never)) {
    taken.push(group.map(({ digest }) => nameOf(digest)));
    for (const { digest } of group) infos.delete(digest);
  }
  return taken;
}

/** Everything in a list leaves with every other member of it. */
function together(...groups: readonly (readonly string[])[]): GroupOf {
  return async (digest) =>
    groups
      .map((names) => names.map(digestOfName))
      .filter((digests) => digests.includes(digest))
      .flat();
}

t.test('what was used first leaves first', async (t) => {
  const given = [
    { name: 'b', used: 2 },
    { name: 'c', used: 3 },
    { name: 'a', used: 1 },
  ];
  t.strictSame(await takeAll(given), [['a'], ['b'], ['c']]);
});

t.test('what is open is left out', async (t) => {
  const given = [
    { name: 'a', used: 1, isOpen: true },
    { name: 'b', used: 2 },
  ];
  t.strictSame(await takeAll(given), [['b']]);
});

t.test('a group leaves when its last used member is the oldest, and whole', async (t) => {
  const given = [
    { name: 'old layer', used: 1 },
    { name: 'other', used: 5 },
    { name: 'new layer', used: 9 },
    { name: 'latest', used: 10 },
  ];
  const taken = await takeAll(given, together(['old layer', 'new layer']));
  t.strictSame(taken, [['other'], ['old layer', 'new layer'], ['latest']]);
});

t.test('a group with an open member stays whole', async (t) => {
  const given = [
    { name: 'a', used: 1 },
    { name: 'b', used: 2, isOpen: true },
    { name: 'c', used: 3 },
  ];
  t.strictSame(await takeAll(given, together(['a', 'b'])), [['c']]);
});

t.test('what a shared layer takes along may leave before it', async (t) => {
  // The base belongs to both images; of the old image only its own layer leaves at first.
  const groups: Readonly<Record<string, readonly string[]>> = {
    base: ['old image', 'new image'],
    'old image': [],
    'new image': [],
  };
  const given = [
    { name: 'base', used: 1 },
    { name: 'old image', used: 2 },
    { name: 'something', used: 5 },
    { name: 'new image', used: 8 },
  ];
  const { nameOf } = makeStored(given);
  const groupOf: GroupOf = async (digest) => (groups[nameOf(digest)] ?? []).map(digestOfName);
  t.strictSame(await takeAll(given, groupOf), [
    ['old image'],
    ['something'],
    ['base', 'new image'],
  ]);
});

t.test('where a group can not be found out its member is a group alone', async (t) => {
  const given = [{ name: 'a', used: 1 }];
  const taken = await takeAll(given, () => Promise.reject(new Error('the state is away')));
  t.strictSame(taken, [['a']]);
});

t.test('it stops at its signal', async (t) => {
  const { store } = makeStored([{ name: 'a', used: 1 }]);
  const order = evictionOrder({ store, groupOf: async () => [] }, AbortSignal.abort());
  await t.rejects(order.next(), { name: 'AbortError' });
});

t.test('of more than can be ordered at a time it takes the oldest', async (t) => {
  const given = Array.from({ length: 100 }, (_, index) => ({
    name: `${index}`,
    used: (index * 37) % 100,
  }));
  const taken = (await takeAll(given, undefined, 10)).flat();
  const used = taken.map((name) => given[Number(name)]?.used);
  t.strictSame(used, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

const someGiven = fc.uniqueArray(
  fc.record({
    name: fc.integer({ min: 0, max: 30 }).map(String),
    used: fc.integer({ min: 0, max: 10 }),
    isOpen: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 20 },
);
const someName = fc.integer({ min: 0, max: 30 }).map(String);
const someImages = fc.array(fc.uniqueArray(someName, { minLength: 1, maxLength: 6 }), {
  maxLength: 6,
});

/** As images do: a layer takes along what only the images that it is in have. */
function alongWith(name: string, images: readonly (readonly string[])[]): readonly string[] {
  const own = images.filter((image) => image.includes(name));
  const others = images.filter((image) => !image.includes(name)).flat();
  return own.flat().filter((other) => !others.includes(other));
}

t.test('whatever is stored, in use and shared by images', async (t) => {
  await holds(
    t,
    'nothing open leaves, nor what would take it along, and all else does, once',
    fc.asyncProperty(someGiven, someImages, async (given, images) => {
      const { nameOf } = makeStored(given);
      const groupOf: GroupOf = async (digest) =>
        alongWith(nameOf(digest), images).map(digestOfName);
      const taken = (await takeAll(given, groupOf)).flat();
      const open = given.filter(({ isOpen }) => isOpen).map(({ name }) => name);
      const expected = given
        .map(({ name }) => name)
        .filter((name) => ![name, ...alongWith(name, images)].some((each) => open.includes(each)));
      assert.deepEqual(taken.toSorted(), expected.toSorted());
    }),
  );
});

t.test('whatever is stored in groups of their own', async (t) => {
  await holds(
    t,
    'each leaves whole, in the order of their last use',
    fc.asyncProperty(someGiven, fc.integer({ min: 1, max: 12 }), async (given, count) => {
      const groupOf = (name: string): number => Number(name) % count;
      const groups = Object.values(Object.groupBy(given, ({ name }) => groupOf(name)));
      const closed = groups.filter((group = []) => group.every(({ isOpen }) => !isOpen));
      const taken = await takeAll(
        given,
        together(...groups.map((group = []) => group.map(({ name }) => name))),
      );
      assert.equal(taken.length, closed.length);
      const byName = new Map(given.map((each) => [each.name, each.used]));
      const used = taken.map((group) => Math.max(...group.map((name) => byName.get(name) ?? 0)));
      assert.deepEqual(
        used,
        used.toSorted((a, b) => a - b),
      );
      const whole = closed.map((group = []) => group.length).toSorted();
      assert.deepEqual(taken.map((group) => group.length).toSorted(), whole);
    }),
  );
});
