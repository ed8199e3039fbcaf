import { describeIdentity } from '../verdict/identity.ts';
import { reasons } from '../verdict/reason.ts';
import type { Report } from '../verdict/report.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Examined } from '../compose/verification.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Colour, type Paint, printable } from './terminal.ts';

/** An exemption admits, whatever the signatures say; audit mode serves, but does not make trusted. */
export function exitCodeOf(verdict: Verdict): ExitCode {
  if (verdict.kind === 'trusted' || verdict.waiver?.kind === 'exemption') return exitCodes.ok;
  return verdict.kind === 'untrusted' ? exitCodes.untrusted : exitCodes.inconclusive;
}

/** The verdict in a few lines: what it is, why, and what to do. */
export function renderVerdict({ reference, verdict, warnings }: Examined, paint: Paint): string {
  const lines = [
    `${renderKind(verdict, paint)} ${printable(reference)}`,
    ...(verdict.subject === undefined ? [] : [row('digest', verdict.subject)]),
    row('rule', verdict.rule ?? 'none matches'),
    ...signers(verdict).map((signer) => row('signed by', signer)),
    ...attestors(verdict).map((signer) => row('attested by', signer)),
    ...renderGrounds(verdict),
    ...renderWarnings(warnings),
    ...renderEnd(verdict),
    row('verdict id', verdict.id),
  ];
  return lines.join('\n');
}

const colours = {
  trusted: 'green',
  untrusted: 'red',
  inconclusive: 'yellow',
} as const satisfies Record<Verdict['kind'], Colour>;

/** The kind in its colour. An exemption is no trust, and no refusal either. */
export function renderKind({ kind, waiver }: Verdict, paint: Paint): string {
  if (waiver?.kind === 'exemption') return paint('yellow', 'exempt');
  return paint(colours[kind], kind);
}

/** Why it is not trusted, what may be done, and why it is served all the same. */
export function renderGrounds(verdict: Verdict): readonly string[] {
  const { kind, reason, because } = verdict;
  const saidBySigners = kind === 'trusted' && signers(verdict).length > 0;
  return [
    ...(saidBySigners ? [] : [row('because', printable(because))]),
    ...(kind === 'trusted' || reason === undefined
      ? []
      : [row('reason', `${reason}: ${reasons[reason].means}`)]),
    ...renderWaiver(verdict),
    ...renderRemedy(verdict),
  ];
}

function renderRemedy({ reason, retryAfterSeconds }: Verdict): readonly string[] {
  return [
    ...(reason === undefined ? [] : [row('what to do', reasons[reason].remedy)]),
    ...(retryAfterSeconds === undefined ? [] : [row('try again', `in ${retryAfterSeconds} s`)]),
  ];
}

function renderWaiver({ waiver }: Verdict): readonly string[] {
  if (waiver === undefined) return [];
  const until = waiver.until.toISOString();
  if (waiver.kind === 'audit') return [row('served', `would be served: audit mode until ${until}`)];
  const { reason, owner } = waiver;
  return [
    row('served', `admitted by exemption until ${until}`),
    row('exempted', `${printable(reason)} (owner ${printable(owner)})`),
  ];
}

function signers({ reports }: Verdict): readonly string[] {
  const signatures = reports.filter(({ attestation }) => attestation === undefined);
  return signatures.filter(({ outcome }) => outcome === 'trusted').map(renderSigner);
}

/** Those whose statement meets what the rule asks for. */
function attestors({ reports }: Verdict): readonly string[] {
  return reports.flatMap((report) => {
    const { outcome, attestation } = report;
    if (outcome !== 'trusted' || attestation === undefined) return [];
    if (attestation.meets.length === 0) return [];
    return [`${renderSigner(report)}, ${printable(attestation.predicateType)}`];
  });
}

/** Who signed, as which identity of the policy, in which format. */
export function renderSigner(report: Report): string {
  const { signer, identity, format, loggedFailures } = report;
  const who = signer === undefined ? 'nobody proven' : printable(describeIdentity(signer));
  const checks = loggedFailures === 1 ? 'check' : 'checks';
  const logged = loggedFailures === 0 ? '' : `, ${loggedFailures} failed ${checks} only logged`;
  return `${who} as ${printable(identity)}, ${printable(format)}${logged}`;
}

/** Until when the verdict is a reason to serve; the others give none. */
export function renderEnd({ kind, expiresAt }: Verdict): readonly string[] {
  return kind === 'trusted' ? [row('valid until', expiresAt.toISOString())] : [];
}

export function renderWarnings(warnings: Examined['warnings']): readonly string[] {
  return warnings.map((warning) => row('warning', printable(warning)));
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(12)} ${text}`;
}
