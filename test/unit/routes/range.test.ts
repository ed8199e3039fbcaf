import { constant, nat, oneof, property } from 'fast-check';
import t from 'tap';
import { parseRange } from '../../../src/routes/range.ts';
import { holds } from '../../support/holds.ts';

const rows: readonly (readonly [string | undefined, number, string])[] = [
  [undefined, 10, 'whole'],
  ['bytes=0-', 10, '0-9'],
  ['bytes=0-0', 10, '0-0'],
  ['bytes=3-5', 10, '3-5'],
  ['bytes=9-9', 10, '9-9'],
  ['bytes=3-99', 10, '3-9'],
  ['BYTES=3-5', 10, '3-5'],
  ['bytes= 3-5 ', 10, '3-5'],
  ['bytes=-3', 10, '7-9'],
  ['bytes=-99', 10, '0-9'],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=10-20', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=-1', 0, 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 10, 'unsatisfiable'],
  [`bytes=0-${'9'.repeat(400)}`, 10, '0-9'],
  ['bytes=5-3', 10, 'whole'],
  ['bytes=-', 10, 'whole'],
  ['bytes=', 10, 'whole'],
  ['bytes=a-b', 10, 'whole'],
  ['bytes=0x1-5', 10, 'whole'],
  ['bytes=+1-5', 10, 'whole'],
  ['bytes=1-2,4-5', 10, 'whole'],
  ['bytes=1-2,99-', 10, 'whole'],
  ['items=0-5', 10, 'whole'],
  ['0-5', 10, 'whole'],
];

for (const [header, size, wanted] of rows) {
  t.test(`${(header ?? 'no header').slice(0, 40)} of ${size} is ${wanted}`, async (t) => {
    const range = parseRange(header, size);
    const text = typeof range === 'object' ? `${range.first}-${range.last}` : (range ?? 'whole');
    t.equal(text, wanted);
  });
}

t.test('a range lies within the content, whatever is asked for', async (t) => {
  const part = oneof(constant(''), nat(40).map(String));
  await holds(
    t,
    'first and last are offsets of the content',
    property(part, part, nat(30), (from, to, size) => {
      const range = parseRange(`bytes=${from}-${to}`, size);
      if (typeof range !== 'object') return;
      const { first, last } = range;
      if (!(0 <= first && first <= last && last < size)) throw new Error(`${first}-${last}`);
    }),
  );
});
