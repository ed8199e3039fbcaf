import * as fc from 'fast-check';

type Change = (bytes: Uint8Array) => Uint8Array;

const position = fc.nat(2 ** 16);

const changes: readonly fc.Arbitrary<Change>[] = [
  fc.tuple(position, fc.nat(255)).map(([at, value]) => (bytes: Uint8Array) => {
    const changed = Uint8Array.from(bytes);
    if (bytes.length > 0) changed[at % bytes.length] = value;
    return changed;
  }),
  fc.tuple(position, fc.uint8Array({ maxLength: 8 })).map(([at, more]) => (bytes: Uint8Array) => {
    const middle = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, middle), more, bytes.subarray(middle)]);
  }),
  fc.tuple(position, fc.nat(8)).map(([at, count]) => (bytes: Uint8Array) => {
    const middle = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, middle), bytes.subarray(middle + count)]);
  }),
  position.map((at) => (bytes: Uint8Array) => bytes.subarray(0, at % (bytes.length + 1))),
];

/** The same bytes with one to five changes: a byte replaced, some inserted or removed, a cut. */
export function mutationsOf(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.oneof(...changes), { minLength: 1, maxLength: 5 })
    .map((list) => list.reduce((changed, change) => change(changed), bytes));
}
