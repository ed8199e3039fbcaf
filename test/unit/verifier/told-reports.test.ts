import t from 'tap';
import type { Report } from '../../../src/verdict/report.ts';
import { toldReports } from '../../../src/verifier/told-reports.ts';

const reports = (['untrusted', 'inconclusive', 'untrusted', 'trusted', 'untrusted'] as const).map(
  (outcome, number) => ({ outcome, identity: String(number) }) as Report,
);
const told = (max: number): readonly string[] =>
  toldReports(reports, max).map(({ identity }) => identity);

t.test('what is within the bound is told as it is', async (t) => {
  t.equal(toldReports(reports, 5), reports);
});

t.test('those that say most stay, in their order', async (t) => {
  t.strictSame(told(1), ['3']);
  t.strictSame(told(2), ['1', '3']);
  t.strictSame(told(3), ['0', '1', '3']);
});
