import { reasons } from './reason.ts';

/** docs/reasons.md: every reason with its meaning and what to do. */
export function renderReasonReference(): string {
  const sections = Object.entries(reasons).flatMap(([code, { means, remedy }]) => [
    `## ${code}`,
    '',
    `What it means: ${means}.`,
    '',
    `What to do: ${remedy}.`,
    '',
  ]);
  return [
    '# Reasons',
    '',
    'Generated from `src/verdict/reason.ts` by `npm run golden`; a test fails when it is out of date.',
    '',
    'Why something is not served. The codes are stable: they stand in denials (the message, the header',
    '`X-Assay-Reason`, the HTTP/1.1 reason phrase), in verdicts, in logs and in `assay_denials_total`.',
    '',
    ...sections,
  ].join('\n');
}
