import type { Examined } from '../compose/verification.ts';
import type { Check, CheckOutcome } from '../verdict/check.ts';
import type { AttestationFound, ConditionFound, Report } from '../verdict/report.ts';
import type { Search } from '../verdict/search.ts';
import type { Verdict } from '../verdict/verdict.ts';
import {
  renderEnd,
  renderGrounds,
  renderKind,
  renderSigner,
  renderWarnings,
} from './render-verdict.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { type Branch, renderTree } from './tree.ts';

/** The whole way to the verdict: where it looked, what it found, every check; then what to do. */
export function renderExplanation(examined: Examined, paint: Paint): string {
  const { reference, verdict, warnings } = examined;
  const tree = renderTree({
    text: paint('bold', printable(reference)),
    branches: [toBranch(verdict, paint)],
  });
  return [
    ...tree,
    '',
    `${renderKind(verdict, paint)} ${verdict.id}`,
    ...renderGrounds(verdict),
    ...renderWarnings(warnings),
    ...renderEnd(verdict),
  ].join('\n');
}

function toBranch(verdict: Verdict, paint: Paint): Branch {
  const { search } = verdict;
  const found = verdict.reports.map((report) => reportBranch(report, paint));
  const children = verdict.children.map((child) => childBranch(child, paint));
  return {
    text: verdict.subject ?? 'nothing was looked up',
    branches: [
      { text: verdict.rule ?? `no rule matches ${printable(verdict.scope)}` },
      ...(search === undefined ? [] : [placesBranch(search, paint)]),
      ...(found.length > 0 ? found : [{ text: nothingFound(verdict) }]),
      ...(search === undefined ? [] : leftOutBranches(search)),
      ...(children.length > 0 ? [{ text: 'platforms', branches: children }] : []),
    ],
  };
}

/** Where it looked, and how much was there. */
function placesBranch({ places }: Search, paint: Paint): Branch {
  const branches = places.map(({ place, found, incomplete }) => {
    const count = found === 0 ? 'nothing' : `${found} found`;
    if (incomplete === undefined) return { text: `${printable(place)}: ${count}` };
    const failure = paint('yellow', `incomplete: ${printable(incomplete)}`);
    const some = found === 0 ? '' : `${count}, `;
    return { text: `${printable(place)}: ${some}${failure}` };
  });
  return { text: 'searched', branches };
}

/** What was found and is not among the signatures. */
function leftOutBranches({ passedOver, unexamined, unlisted }: Search): readonly Branch[] {
  const others = passedOver.map(({ digest, because }) => ({
    text: `${digest}: ${printable(because)}`,
  }));
  return [
    ...(others.length > 0 ? [{ text: 'passed over', branches: others }] : []),
    ...(unlisted > 0 ? [{ text: `${unlisted} more reports of the same kinds are left out` }] : []),
    ...(unexamined > 0 ? [{ text: `${unexamined} possible signatures were not examined` }] : []),
  ];
}

function nothingFound({ reason }: Verdict): string {
  const unasked = ['no-rule', 'exempted', 'malformed-manifest'];
  return reason === undefined || !unasked.includes(reason)
    ? 'no signature was found'
    : 'no signature was looked for';
}

function childBranch(child: Verdict, paint: Paint): Branch {
  const { branches = [] } = toBranch(child, paint);
  return { text: `${child.subject} ${renderKind(child, paint)}`, branches };
}

const reportColours = {
  trusted: 'green',
  untrusted: 'red',
  inconclusive: 'yellow',
} as const satisfies Record<Report['outcome'], Colour>;

function reportBranch(report: Report, paint: Paint): Branch {
  const { format, signature, envelope, identity, outcome, reason, validUntil } = report;
  const result =
    paint(reportColours[outcome], outcome) + (reason === undefined ? '' : ` (${reason})`);
  const which = envelope === undefined ? '' : ` layer ${envelope.index + 1} ${envelope.digest}`;
  const what = report.attestation === undefined ? 'signature' : 'attestation';
  return {
    text: `${what} ${signature}${which}, ${printable(format)}, as ${printable(identity)}: ${result}`,
    branches: [
      ...report.checks.map((check) => checkBranch(check, paint)),
      ...(report.signer === undefined ? [] : [{ text: `signed by ${renderSigner(report)}` }]),
      ...(report.attestation === undefined ? [] : [attestationBranch(report.attestation, paint)]),
      ...(validUntil === undefined ? [] : [{ text: `holds until ${validUntil.toISOString()}` }]),
    ],
  };
}

function attestationBranch({ predicateType, meets, conditions }: AttestationFound, paint: Paint) {
  const branches = conditions.map(({ condition, outcome, because }) => {
    const { mark, colour, word } = conditionMarks[outcome];
    const why = because === undefined ? '' : `: ${printable(because)}`;
    return { text: `${paint(colour, `${mark} ${word}`)} ${printable(condition)}${why}` };
  });
  const count = meets.length === 1 ? 'one attestation' : `${meets.length} attestations`;
  const met = meets.length === 0 ? 'meets nothing' : `meets ${count}`;
  return { text: `attests ${printable(predicateType)}: ${met} that the rule asks for`, branches };
}

const conditionMarks = {
  met: { mark: '✓', colour: 'green', word: 'met' },
  'not-met': { mark: '✗', colour: 'red', word: 'not met' },
  inconclusive: { mark: '?', colour: 'yellow', word: 'inconclusive' },
} as const satisfies Record<
  ConditionFound['outcome'],
  { mark: string; colour: Colour; word: string }
>;

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
