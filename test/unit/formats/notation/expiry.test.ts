import t from 'tap';
import { checkExpiry } from '../../../../src/formats/notation/expiry.ts';

const now = new Date('2030-01-01T00:00:00Z');

t.test('a signature is good until its expiry, and not at it', async (t) => {
  const at = (iso: string) => checkExpiry(new Date(iso), now);
  t.match(at('2030-01-01T00:00:00.001Z'), { outcome: 'passed' });
  const expired = { outcome: 'failed', reason: 'signature-expired' };
  t.match(at('2030-01-01T00:00:00Z'), { ...expired, because: /2030-01-01T00:00:00.000Z/ });
  t.match(at('2020-01-01T00:00:00Z'), expired);
});

t.test('a signature without expiry does not expire', async (t) => {
  t.strictSame(checkExpiry(undefined, now), { outcome: 'passed', evidence: { expiry: 'none' } });
});
