import { quoted } from '../kernel/quoted.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { Canonical } from './canonical.ts';
import {
  type Place,
  readFields,
  readInstant,
  readItems,
  readOneOf,
  readSpan,
  readText,
  type ReportProblem,
} from './document-reader.ts';

/** What a rule asks of tags, beyond what it asks of the content. Pulls by digest are not bound. */
export interface TagRules {
  /** What becomes of a tag that goes back to something older; `allow` unless told. */
  readonly rollback: 'deny' | 'warn' | 'allow';
  readonly allowedRollbacks: readonly AllowedRollback[];
  /** Signatures that were made longer ago do not count for tags. */
  readonly maxSignatureAgeMs: number | undefined;
}

/** Somebody's word that a tag may go back to the digest; its signatures are verified as ever. */
export interface AllowedRollback {
  readonly digest: Digest;
  readonly reason: string;
  readonly owner: string;
  readonly until: Date;
}

const keys = { optional: ['rollback', 'allowedRollbacks', 'maxSignatureAge'] };
const allowedKeys = { required: ['digest', 'reason', 'owner', 'until'] };
const maxAllowed = 1000;

/** Reads what follows `tags:`. */
export function readTagRules(place: Place, report: ReportProblem): TagRules | undefined {
  const fields = readFields(place, keys, report);
  if (fields === undefined) return undefined;
  if (fields.size === 0) return report(place, 'must not be empty');
  const rollbackPlace = fields.get('rollback');
  const rollback =
    rollbackPlace === undefined
      ? 'allow'
      : readOneOf(rollbackPlace, ['deny', 'warn', 'allow'], report);
  const agePlace = fields.get('maxSignatureAge');
  const maxSignatureAgeMs = agePlace && readSpan(agePlace, report);
  const allowedPlace = fields.get('allowedRollbacks');
  const allowedRollbacks = allowedPlace ? readAllowed(allowedPlace, report) : [];
  if (allowedPlace !== undefined && rollback === 'allow') {
    return report(allowedPlace, 'has no meaning where rollback is not deny or warn');
  }
  if (rollback === undefined) return undefined;
  return { rollback, allowedRollbacks, maxSignatureAgeMs };
}

function readAllowed(place: Place, report: ReportProblem): readonly AllowedRollback[] {
  const items = readItems(place, maxAllowed, report) ?? [];
  // One that does not load has been reported, and so the policy does not load.
  return items
    .map((item) => readOneAllowed(item, report))
    .filter((allowed) => allowed !== undefined);
}

function readOneAllowed(place: Place, report: ReportProblem): AllowedRollback | undefined {
  const fields = readFields(place, allowedKeys, report);
  const field = <T>(name: string, read: (place: Place) => T | undefined): T | undefined => {
    const within = fields?.get(name);
    return within && read(within);
  };
  const digest = field('digest', (within) => readDigest(within, report));
  const reason = field('reason', (within) => readText(within, report, 200));
  const owner = field('owner', (within) => readText(within, report, 200));
  const until = field('until', (within) => readInstant(within, report));
  if (digest === undefined || reason === undefined) return undefined;
  if (owner === undefined || until === undefined) return undefined;
  return { digest, reason, owner, until };
}

function readDigest(place: Place, report: ReportProblem): Digest | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  return (
    parseDigest(text) ?? report(place, `${quoted(text)} is no digest: sha256: and 64 hex digits`)
  );
}

export function meaningOfTagRules(rules: TagRules | undefined): Canonical {
  if (rules === undefined) return null;
  const { rollback, allowedRollbacks, maxSignatureAgeMs } = rules;
  return {
    rollback,
    allowedRollbacks: allowedRollbacks.map(({ until, ...said }) => ({
      ...said,
      until: until.toISOString(),
    })),
    maxSignatureAgeMs: maxSignatureAgeMs ?? null,
  };
}
