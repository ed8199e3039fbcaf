import t from 'tap';
import { lifetimeEnd } from '../../../src/verifier/lifetime.ts';

const from = new Date('2030-01-01T00:00:00.000Z');
const longest = new Date('2030-01-01T00:00:01.000Z');

t.test('a verdict lives as long as it may', async (t) => {
  t.strictSame(lifetimeEnd(from, 1000, undefined), longest);
  t.strictSame(lifetimeEnd(from, 1000, new Date('2030-01-02T00:00:00Z')), longest);
});

t.test('but no longer than what it rests upon', async (t) => {
  const until = new Date('2030-01-01T00:00:00.500Z');
  t.strictSame(lifetimeEnd(from, 1000, until), until);
});
