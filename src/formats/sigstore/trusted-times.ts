import { isNonEmpty, type NonEmpty } from '../../kernel/non-empty.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { TrustedTime } from '../../trust/trusted-time.ts';
import type { SigstoreRequirement, TrustedKey } from '../../verdict/sigstore-requirement.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';
import type { ProvenKey } from './signature.ts';
import { countOperators, type Witness } from './witness.ts';

export interface TimesQuestion {
  readonly by: ProvenKey;
  readonly logs: readonly Witness[];
  readonly timestamps: readonly Witness[];
  readonly requirement: Pick<SigstoreRequirement, 'minLogs' | 'minTimestamps'>;
  readonly now: Date;
}

export interface TimesFound {
  readonly finding: Finding;
  /** When it was signed by, on each trusted word: the certificate is to be valid at all of them. */
  readonly times: readonly Date[];
  /** The word that says the most: it existed by then. */
  readonly trustedTime?: TrustedTime;
  /** Where the key's validity was held against now, its end. */
  readonly validUntil?: Date;
}

/**
 * When the signature was made, by logs and authorities that the root trusts. Never now in their
 * stead: a certificate that lives for minutes is valid for nobody who looks later, and who holds its
 * key today may sign today. With a key, and where neither log nor timestamp is asked for, it is now.
 */
export function findTrustedTimes(question: TimesQuestion): TimesFound {
  const { by, logs, timestamps, requirement, now } = question;
  const early = [...logs, ...timestamps].filter(isTimed).find(isYetToCome(now));
  if (early !== undefined) {
    const because = `${early.name} says ${early.instant.toISOString()}, which is yet to come`;
    return { finding: fail('timestamp-unproven', because), times: [] };
  }
  if (by.kind === 'certificate')
    return conclude([...logs, ...timestamps], 'its certificate is valid');
  const { minLogs, minTimestamps } = requirement;
  const isWitnessed = minLogs + minTimestamps > 0;
  const counted = {
    logs: logs.filter((witness) => isWithinKey(by.key, witness)),
    timestamps: timestamps.filter((witness) => isWithinKey(by.key, witness)),
  };
  const fault = isWitnessed ? findWindowFault(counted, requirement) : undefined;
  if (fault !== undefined) {
    const because = `${fault} while the key ${quoted(by.key.name, 200)} was valid`;
    return { finding: fail('timestamp-unproven', because), times: [] };
  }
  const witnesses = [...counted.logs, ...counted.timestamps];
  if (isWitnessed) return conclude(witnesses, 'the key was valid');
  return atNow(by.key, now);
}

function conclude(witnesses: readonly Witness[], what: string): TimesFound {
  const timed = witnesses.filter(isTimed);
  if (!isNonEmpty(timed)) {
    const because = `no trusted log or authority says when it was signed, so that nobody knows whether ${what}`;
    return { finding: fail('timestamp-unproven', because), times: [] };
  }
  const { time } = earliestOf(timed);
  const evidence = {
    'signed by': time.latest.toISOString(),
    says: timed.map(({ name }) => name).join(', '),
  };
  return { finding: pass(evidence), times: timed.map(({ instant }) => instant), trustedTime: time };
}

/** Clocks of witnesses and ours may differ by so much. */
const toleranceMs = 5 * 60_000;

/** It would be young for ever, and younger than all that is signed meanwhile. */
function isYetToCome(now: Date): (witness: Timed) => boolean {
  return ({ instant }) => instant.getTime() > now.getTime() + toleranceMs;
}

type Timed = Witness & Required<Pick<Witness, 'instant' | 'time'>>;

function isTimed(witness: Witness): witness is Timed {
  return witness.instant !== undefined && witness.time !== undefined;
}

/** What was there earlier was there later too. */
function earliestOf([first, ...others]: NonEmpty<Timed>): Timed {
  return others.reduce(
    (earliest, each) => (each.time.latest < earliest.time.latest ? each : earliest),
    first,
  );
}

/** GHSA-wqqc-jjcq-vfxm. A log that states no time says nothing against the key. */
function isWithinKey(key: TrustedKey, { instant }: Witness): boolean {
  return instant === undefined || isValidKey(key, instant);
}

function isValidKey({ validFrom, validUntil }: TrustedKey, time: Date): boolean {
  return (
    (validFrom === undefined || validFrom <= time) &&
    (validUntil === undefined || time <= validUntil)
  );
}

function findWindowFault(
  { logs, timestamps }: Pick<TimesQuestion, 'logs' | 'timestamps'>,
  { minLogs, minTimestamps }: TimesQuestion['requirement'],
): string | undefined {
  if (countOperators(logs) < minLogs) {
    return `${countOperators(logs)} of ${minLogs} transparency logs took it in`;
  }
  if (countOperators(timestamps) < minTimestamps) {
    return `${countOperators(timestamps)} of ${minTimestamps} authorities saw it`;
  }
  return undefined;
}

function atNow(key: TrustedKey, now: Date): TimesFound {
  if (!isValidKey(key, now)) {
    const because = `the key ${quoted(key.name, 200)} is not valid now, and no time is proven`;
    return { finding: fail('certificate-expired', because), times: [] };
  }
  const { validUntil } = key;
  const finding = pass({ 'signed by': 'no time is proven, and none is asked for' });
  return { finding, times: [], ...(validUntil && { validUntil }) };
}
