import t from 'tap';
import { parseRetryAfter } from '../../../src/upstream/retry-after.ts';

const now = new Date('2030-01-01T00:00:00Z');
const stated: readonly (readonly [string | undefined, number | undefined])[] = [
  [undefined, undefined],
  ['0', 0],
  ['7', 7],
  ['60', 60],
  ['61', 60],
  ['9999999999', 60],
  ['99999999999', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
  ['Tue, 01 Jan 2030 00:00:30 GMT', 30],
  ['Tue, 01 Jan 2030 01:00:00 GMT', 60],
  ['Mon, 31 Dec 2029 23:59:00 GMT', 0],
  ['2030-01-01T00:00:30Z', undefined],
  ['Tue, 41 Jan 2030 00:00:30 GMT', undefined],
];
for (const [text, seconds] of stated) {
  t.test(`Retry-After ${JSON.stringify(text)} is ${seconds} seconds`, async (t) => {
    t.equal(parseRetryAfter(text, now), seconds);
  });
}
