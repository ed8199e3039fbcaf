import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import { leafHash, rootOfProof } from '../../../src/crypto/merkle.ts';

const hash = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 6962, section 2.1, as it is written: the largest power of two below the size divides. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (leaves.length === 1 && first !== undefined) return leafHash(first);
  const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half))];
  return hash(Uint8Array.of(1), left, right);
}

/** Section 2.1.1. */
function pathOf(index: number, leaves: readonly Uint8Array[]): readonly Uint8Array[] {
  if (leaves.length === 1) return [];
  const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)];
  return index < half
    ? [...pathOf(index, left), rootOf(right)]
    : [...pathOf(index - half, right), rootOf(left)];
}

const leavesOf = (size: number): readonly Uint8Array[] =>
  Array.from({ length: size }, (_, index) => Buffer.from(`entry ${index}`));

t.test('every leaf of every small tree leads to the root', async (t) => {
  for (let treeSize = 1; treeSize <= 33; treeSize += 1) {
    const leaves = leavesOf(treeSize);
    const root = Buffer.from(rootOf(leaves));
    const wrong = leaves.findIndex((entry, index) => {
      const found = rootOfProof(leafHash(entry), {
        index,
        treeSize,
        hashes: pathOf(index, leaves),
      });
      return found === undefined || !root.equals(found);
    });
    t.strictSame(wrong, -1, `${treeSize} leaves`);
  }
});

t.test('the leaf of a known tree has a known hash', async (t) => {
  // RFC 6962 hashes 0x00 before an entry: the empty one is the published value.
  const empty = Buffer.from(leafHash(new Uint8Array())).toString('hex');
  t.strictSame(empty, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
});

const leaves = leavesOf(13);
const proof = { index: 5, treeSize: 13, hashes: pathOf(5, leaves) };
const leaf = leafHash(leaves[5] ?? new Uint8Array());
const root = Buffer.from(rootOf(leaves));

t.test('a proof is no proof with one hash more, one less, or a short one', async (t) => {
  const { hashes } = proof;
  const altered = [
    [...hashes, root],
    hashes.slice(0, -1),
    hashes.slice(1),
    [],
    [...hashes.slice(0, -1), root.subarray(1)],
  ];
  for (const other of altered) {
    t.strictSame(rootOfProof(leaf, { ...proof, hashes: other }), undefined);
  }
});

t.test('an index outside the tree, or a size that is no size, proves nothing', async (t) => {
  for (const [index, treeSize] of [
    [13, 13],
    [-1, 13],
    [0, 0],
    [0.5, 13],
    [5, 2 ** 60],
    [NaN, 13],
  ] as const) {
    t.strictSame(rootOfProof(leaf, { ...proof, index, treeSize }), undefined, `${index}`);
  }
});

t.test('a proof for another place, leaf or tree leads to another root or none', async (t) => {
  const isRoot = (found: Uint8Array | undefined): boolean =>
    found !== undefined && root.equals(found);
  t.ok(isRoot(rootOfProof(leaf, proof)));
  for (let index = 0; index < 13; index += 1) {
    if (index !== 5) t.notOk(isRoot(rootOfProof(leaf, { ...proof, index })), `at ${index}`);
  }
  t.notOk(isRoot(rootOfProof(leafHash(Buffer.from('other')), proof)));
  fc.assert(
    fc.property(fc.nat(proof.hashes.length - 1), fc.nat(255), (which, bit) => {
      const hashes = proof.hashes.map((each) => Buffer.from(each));
      const changed = hashes[which];
      if (changed === undefined) return false;
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return !isRoot(rootOfProof(leaf, { ...proof, hashes }));
    }),
    { numRuns: 200 },
  );
});
