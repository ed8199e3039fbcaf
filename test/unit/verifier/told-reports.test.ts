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

t.test('what ends first and what is permissive stay, whatever stands before them', async (t) => {
  const trusted = (identity: string, more: Partial<Report> = {}) =>
    ({ outcome: 'trusted', identity, loggedFailures: 0, ...more }) as Report;
  const many = [
    trusted('a'),
    trusted('b', { validUntil: new Date('2031-01-01') }),
    trusted('c', { validUntil: new Date('2030-01-01') }),
    trusted('d', { loggedFailures: 1 }),
  ];
  const names = (max: number) => toldReports(many, max).map(({ identity }) => identity);
  t.strictSame(names(2), ['c', 'd']);
  t.strictSame(names(3), ['a', 'c', 'd']);
});

t.test('a denied signer is told of, however many strangers signed before', async (t) => {
  const stranger = { outcome: 'untrusted', reason: 'no-trusted-signer' } as Report;
  const denied = { outcome: 'untrusted', reason: 'denylisted' } as Report;
  const many = [...Array.from({ length: 5 }, () => ({ ...stranger })), denied];
  t.ok(toldReports(many, 2).includes(denied));
  const unclear = { outcome: 'inconclusive' } as Report;
  t.ok(toldReports([unclear, { ...unclear }, denied], 1).includes(denied));
});
