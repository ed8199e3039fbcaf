import type { Examined } from '../compose/verification.ts';
import type { Check, CheckOutcome } from '../verdict/check.ts';
import type { Report } from '../verdict/report.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { renderEnd, renderGrounds, renderKind, renderSigner } from './render-verdict.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { type Branch, renderTree } from './tree.ts';

/** The whole way to the verdict: where it looked, what it found, every check; then what to do. */
export function renderExplanation(examined: Examined, paint: Paint): string {
  const { reference, places, verdict } = examined;
  const tree = renderTree({
    text: paint('bold', printable(reference)),
    branches: [toBranch(verdict, places, paint)],
  });
  return [
    ...tree,
    '',
    `${renderKind(verdict, paint)} ${verdict.id}`,
    ...renderGrounds(verdict),
    ...renderEnd(verdict),
  ].join('\n');
}

function toBranch(verdict: Verdict, places: readonly string[], paint: Paint): Branch {
  const searched = places.map((place) => ({ text: printable(place) }));
  const found = verdict.reports.map((report) => reportBranch(report, paint));
  const children = verdict.children.map((child) => childBranch(child, paint));
  return {
    text: verdict.subject ?? 'nothing was looked up',
    branches: [
      { text: verdict.rule ?? `no rule matches ${printable(verdict.scope)}` },
      ...(searched.length > 0 ? [{ text: 'searched', branches: searched }] : []),
      ...(found.length > 0 ? found : [{ text: nothingFound(verdict) }]),
      ...(children.length > 0 ? [{ text: 'platforms', branches: children }] : []),
    ],
  };
}

function nothingFound({ reason }: Verdict): string {
  const unasked = ['no-rule', 'exempted', 'malformed-manifest'];
  return reason === undefined || !unasked.includes(reason)
    ? 'no signature was found'
    : 'no signature was looked for';
}

function childBranch(child: Verdict, paint: Paint): Branch {
  const { branches = [] } = toBranch(child, [], paint);
  return { text: `${child.subject} ${renderKind(child, paint)}`, branches };
}

const reportColours = {
  trusted: 'green',
  untrusted: 'red',
  inconclusive: 'yellow',
} as const satisfies Record<Report['outcome'], Colour>;

function reportBranch(report: Report, paint: Paint): Branch {
  const { format, signature, identity, outcome, reason, signer, validUntil } = report;
  const result =
    paint(reportColours[outcome], outcome) + (reason === undefined ? '' : ` (${reason})`);
  return {
    text: `signature ${signature}, ${printable(format)}, as ${printable(identity)}: ${result}`,
    branches: [
      ...report.checks.map((check) => checkBranch(check, paint)),
      ...(signer === undefined ? [] : [{ text: `signed by ${renderSigner(report)}` }]),
      ...(validUntil === undefined ? [] : [{ text: `holds until ${validUntil.toISOString()}` }]),
    ],
  };
}

const marks = {
  passed: { mark: '✓', colour: 'green', word: 'passed' },
  failed: { mark: '✗', colour: 'red', word: 'failed' },
  skipped: { mark: '-', colour: 'yellow', word: 'skipped' },
  'not-run': { mark: '·', colour: 'dim', word: 'not run' },
  inconclusive: { mark: '?', colour: 'yellow', word: 'inconclusive' },
} as const satisfies Record<CheckOutcome, { mark: string; colour: Colour; word: string }>;

function checkBranch(check: Check, paint: Paint): Branch {
  const { mark, colour, word } = marks[check.outcome];
  const logged = check.outcome === 'failed' && check.enforcement === 'log' ? ' (only logged)' : '';
  const because = check.because === undefined ? '' : `: ${printable(check.because)}`;
  const evidence = Object.entries(check.evidence ?? {}).map(([name, value]) => ({
    text: paint('dim', `${printable(name)}: ${printable(value)}`),
  }));
  return {
    text:
      paint(colour, `${mark} ${word}`) +
      ` ${check.id}${logged}${because} ${paint('dim', `[${printable(check.rule)}]`)}`,
    branches: evidence,
  };
}
