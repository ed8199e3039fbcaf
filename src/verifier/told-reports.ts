import type { Report } from '../verdict/report.ts';

const inTelling: readonly Report['outcome'][] = ['trusted', 'inconclusive', 'untrusted'];

/**
 * At most so many reports, in their order: a verdict is kept, and a stranger who attaches a thousand
 * signatures is not to fill the memory. Those go last of which the decision says least.
 */
export function toldReports(reports: readonly Report[], maxReports: number): readonly Report[] {
  if (reports.length <= maxReports) return reports;
  const chosen = new Set(
    reports
      .toSorted((a, b) => inTelling.indexOf(a.outcome) - inTelling.indexOf(b.outcome))
      .slice(0, maxReports),
  );
  return reports.filter((report) => chosen.has(report));
}
