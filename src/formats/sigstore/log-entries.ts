import { isSameBytes } from '../../crypto/same-bytes.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { SigstoreRoot } from '../../trust/sigstore/sigstore-root.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';
import { findBodyFault } from './log-entry-body.ts';
import { judgeEvidence } from './log-evidence.ts';
import type { ProvenKey } from './signature.ts';
import type { ClaimedLogEntry, SigstoreEnvelope } from './sigstore-envelope.ts';
import { countOperators, instantsOf, type Witness } from './witness.ts';

export interface LogEntriesFound {
  readonly finding: Finding;
  readonly witnesses: readonly Witness[];
}

export interface LogEntriesQuestion {
  readonly envelope: SigstoreEnvelope;
  readonly root: SigstoreRoot | undefined;
  readonly by: ProvenKey;
  /** Times by timestamp authorities. A log that states none must have been trusted at all that are proven. */
  readonly times: readonly Date[];
  readonly minLogs: number;
}

/**
 * Counts the logs that have the signature. Entries of logs that the root does not know, or not at
 * that time, are passed by. One of a known log must be there as it says and about this very
 * signature: if not, somebody has tampered with it. The threshold counts distinct operators
 * (GHSA-9vcr-p3rj-q5q6).
 */
export async function checkLogEntries(question: LogEntriesQuestion): Promise<LogEntriesFound> {
  const { envelope, root, by, times, minLogs } = question;
  const twin = findTwin(envelope.logEntries);
  if (twin !== undefined) return none(fail('signature-invalid', twin));
  if (root === undefined) return none(pass({ logs: 'none asked for' }));
  const passedBy: string[] = [];
  const witnesses: Witness[] = [];
  for (const entry of envelope.logEntries.toSorted(promisedFirst)) {
    const evidence = judgeEvidence(entry, root, [...times, ...instantsOf(witnesses)]);
    if (evidence.kind === 'passed-by') passedBy.push(evidence.because);
    if (evidence.kind === 'broken') return none(fail('signature-invalid', evidence.because));
    if (evidence.kind !== 'there') continue;
    const fault = await findBodyFault(entry, envelope, by);
    if (fault !== undefined) {
      const because = `the entry of ${evidence.witness.name} ${fault}`;
      return none(fail('signature-invalid', because));
    }
    witnesses.push(evidence.witness);
  }
  return conclude(witnesses, passedBy, minLogs);
}

function conclude(
  witnesses: readonly Witness[],
  passedBy: readonly string[],
  minLogs: number,
): LogEntriesFound {
  const count = countOperators(witnesses);
  if (count < minLogs) {
    const because = `${count} of ${minLogs} transparency logs that must have it do`;
    return none(fail('log-unproven', [because, ...passedBy].join('; ')));
  }
  const names = witnesses.map(({ name, instant }) =>
    instant === undefined ? name : `${name} at ${instant.toISOString()}`,
  );
  const evidence = {
    logs: names.length === 0 ? 'none' : names.join(', '),
    ...(passedBy.length > 0 && { 'do not count': passedBy.slice(0, maxTold).join('; ') }),
  };
  return { finding: pass(evidence), witnesses };
}

/** What these say of the time is held against those that say nothing of it. */
function promisedFirst(one: ClaimedLogEntry, other: ClaimedLogEntry): number {
  return Number(one.promise === undefined) - Number(other.promise === undefined);
}

const maxTold = 4;

/** One entry that is there twice would be two to whoever counts entries. */
function findTwin(entries: readonly ClaimedLogEntry[]): string | undefined {
  for (const [index, one] of entries.entries()) {
    const twin = entries
      .slice(0, index)
      .some(
        (other) =>
          isSameBytes(one.logId, other.logId) &&
          (one.logIndex === other.logIndex || isSameBytes(one.body, other.body)),
      );
    if (twin) return `log entry ${one.logIndex} (${quoted(one.kind)}) is there twice`;
  }
  return undefined;
}

function none(finding: Finding): LogEntriesFound {
  return { finding, witnesses: [] };
}
