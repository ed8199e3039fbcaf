import t from 'tap';
import { accepts } from '../../../src/routes/accept.ts';

const index = 'application/vnd.oci.image.index.v1+json';
const manifest = 'application/vnd.oci.image.manifest.v1+json';

t.test('no header and an empty one take everything', async (t) => {
  t.equal(accepts(undefined, index), true);
  t.equal(accepts('', index), true);
});

const rows: readonly (readonly [string, boolean, string])[] = [
  ['*/*', true, 'everything'],
  [index, true, 'the type itself'],
  [index.toUpperCase(), true, 'the type in another case'],
  [manifest, false, 'another type'],
  [`${manifest}, ${index}`, true, 'a list with it'],
  [`${manifest},*/*`, true, 'a list with everything'],
  ['application/*', true, 'its whole family'],
  ['text/*', false, 'another family'],
  [`${index};q=0`, false, 'it is excluded'],
  [`${index};q=0.000`, false, 'it is excluded with three digits'],
  [`${index}; q=0.001`, true, 'it is wanted least'],
  [`*/*;q=1, ${index};q=0`, false, 'the more specific range decides'],
  [`${index}, application/*;q=0, */*;q=0`, true, 'the more specific range decides, yes'],
  [`application/*;q=0, */*`, false, 'the family is excluded'],
  [`${index};charset=utf-8`, true, 'parameters of the type are ignored'],
  [`${index}x`, false, 'a longer type'],
  [', ,', false, 'a list of nothing'],
];

for (const [header, taken, what] of rows) {
  t.test(`${what}: ${header}`, async (t) => {
    t.equal(accepts(header, index), taken);
  });
}
