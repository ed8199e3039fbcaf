import type { Report } from '../verdict/report.ts';

const inTelling: readonly Report['outcome'][] = ['trusted', 'inconclusive', 'untrusted'];

/**
 * At most so many reports, in their order: a verdict is kept, and a stranger who attaches a thousand
 * signatures is not to fill the memory. Those go last of which the decision says least. How long the
 * verdict lasts, and whether a denied signer keeps audit mode from serving, is told by those that
 * are left: copies of one signature must not push out another that ends sooner.
 */
export function toldReports(reports: readonly Report[], maxReports: number): readonly Report[] {
  if (reports.length <= maxReports) return reports;
  const inOrder = reports.toSorted(
    (a, b) => inTelling.indexOf(a.outcome) - inTelling.indexOf(b.outcome),
  );
  const wanted = new Set([...limiting(reports), ...inOrder]);
  const chosen = new Set([...wanted].slice(0, maxReports));
  return reports.filter((report) => chosen.has(report));
}

/** One of a denied signer; of the trusted the one that ends first, and one with logged failures. */
function limiting(reports: readonly Report[]): readonly Report[] {
  const trusted = reports.filter(({ outcome }) => outcome === 'trusted');
  const [first] = trusted.toSorted((a, b) => endOf(a) - endOf(b));
  const permissive = trusted.find(({ loggedFailures }) => loggedFailures > 0);
  const denied = reports.find(({ reason }) => reason === 'denylisted');
  return [denied, first, permissive].filter((report) => report !== undefined);
}

function endOf({ validUntil }: Report): number {
  return validUntil?.getTime() ?? Number.MAX_VALUE;
}
