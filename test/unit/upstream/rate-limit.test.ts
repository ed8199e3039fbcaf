import t from 'tap';
import { readRateLimit } from '../../../src/upstream/rate-limit.ts';

const stated: readonly (readonly [Readonly<Record<string, string>>, object | undefined])[] = [
  [{}, undefined],
  [{ 'ratelimit-remaining': '100;w=21600' }, { remaining: 100, resetSeconds: undefined }],
  [{ 'ratelimit-remaining': '0' }, { remaining: 0, resetSeconds: undefined }],
  [{ 'ratelimit-remaining': '-1' }, undefined],
  [{ 'ratelimit-remaining': 'many' }, undefined],
  [{ 'ratelimit-remaining': '1x' }, undefined],
  [{ 'ratelimit-remaining': '1234567890' }, undefined],
  [
    { 'ratelimit-remaining': '7', 'ratelimit-reset': '30' },
    { remaining: 7, resetSeconds: 30 },
  ],
  [{ 'ratelimit-reset': '30' }, undefined],
  [{ ratelimit: 'limit=100, remaining=50, reset=30' }, { remaining: 50, resetSeconds: 30 }],
  [{ ratelimit: '"default";r=50;t=30' }, { remaining: 50, resetSeconds: 30 }],
  [{ ratelimit: '"r=9";r=5' }, { remaining: 5, resetSeconds: undefined }],
  [{ ratelimit: '"default"' }, undefined],
];
for (const [headers, expected] of stated) {
  t.test(`${JSON.stringify(headers)} is ${JSON.stringify(expected)}`, async (t) => {
    t.strictSame(readRateLimit({ headers }), expected);
  });
}
