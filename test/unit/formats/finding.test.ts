import t from 'tap';
import { fail, inconclude, pass } from '../../../src/formats/finding.ts';

t.test('a finding says what became of a check, and why', async (t) => {
  t.strictSame(pass(), { outcome: 'passed' });
  t.strictSame(pass({ a: 'b' }), { outcome: 'passed', evidence: { a: 'b' } });
  const reason = 'signature-invalid';
  t.strictSame(fail(reason, 'why'), { outcome: 'failed', because: 'why', reason });
  t.strictSame(inconclude(reason, 'why'), { outcome: 'inconclusive', because: 'why', reason });
});
