import { createHash } from 'node:crypto';
import { checkCrlSignature, checkCrlTimes, checkDelta } from '../crypto/crl-check.ts';
import type { Crl } from '../crypto/crl.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import { answerOf } from '../crypto/ocsp-answer.ts';
import type { OcspResponse } from '../crypto/ocsp-response.ts';
import { isSameBytes } from '../crypto/same-bytes.ts';
import type { Certificate } from '../crypto/x509.ts';
import { oncePer } from '../kernel/once.ts';
import { type CurrentCrl, outcomeOf, statusOfLists } from './crl-judgement.ts';
import { assertComplete } from './crl-status.ts';
import type { RevocationKind } from './revocation-events.ts';
import type { RevocationStatus } from './revocation-source.ts';

/** Revocation data out of files: read, and verified when it is asked for. */
export interface FiledRevocation {
  /** SHA-256 over all of it: part of what a verdict depends on. */
  readonly digest: string;
  readonly responses: readonly Filed<OcspResponse>[];
  readonly lists: readonly Filed<Crl>[];
}

/** All that several folders have. */
export function mergeFiled(parts: readonly FiledRevocation[]): FiledRevocation {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return only;
  return {
    digest: createHash('sha256')
      .update(parts.map(({ digest }) => digest).join('\n'))
      .digest('hex'),
    responses: parts.flatMap(({ responses }) => responses),
    lists: parts.flatMap(({ lists }) => lists),
  };
}

export interface Filed<T> {
  readonly file: string;
  readonly value: T;
}

export type SaidByFiles =
  | {
      readonly kind: 'good' | 'revoked';
      readonly by: RevocationKind;
      readonly status: RevocationStatus;
      readonly ageSeconds: number;
      readonly because?: undefined;
    }
  | { readonly kind: 'unknown'; readonly because: string }
  | undefined;

// A file stays as it is for long, and is asked about again and again.
const checkSignature = oncePer((crl: Crl) =>
  oncePer((issuer: Certificate) => checkCrlSignature(crl, issuer)),
);

/**
 * What files say of a certificate at `now`; undefined where none is about its issuer. One that
 * revokes it weighs more than any that does not.
 */
export async function statusByFiles(
  certificate: Certificate,
  issuer: Certificate,
  { responses, lists }: FiledRevocation,
  now: Date,
): Promise<SaidByFiles> {
  const byOcsp = statusByResponses(certificate, issuer, responses, now);
  if (byOcsp?.kind === 'revoked') return byOcsp;
  const byLists = await statusByFiledLists(certificate, issuer, lists, now);
  return byLists?.kind === 'revoked' ? byLists : (byOcsp ?? byLists);
}

async function statusByFiledLists(
  certificate: Certificate,
  issuer: Certificate,
  lists: readonly Filed<Crl>[],
  now: Date,
): Promise<SaidByFiles> {
  const ours = await listsOf(issuer, lists);
  const outcomes = newestOf(ours).map((list) =>
    outcomeOf(certificate, list.file, () => makeCurrent(list, ours, certificate, issuer, now)),
  );
  const read = await Promise.all(outcomes);
  if (read.length === 0) return undefined;
  // A file for other certificates of the issuer must not keep one from telling.
  const told = read.filter((outcome) => 'list' in outcome);
  const status = statusOfLists(told.length > 0 ? told : read);
  if (status.kind === 'unknown') return status;
  if (status.kind === 'not-revocable') return undefined;
  const ageMs = now.getTime() - Math.min(...told.map(({ list }) => list.base.thisUpdate.getTime()));
  return { kind: status.kind, by: 'crl', status, ageSeconds: ageMs / 1000 };
}

function statusByResponses(
  certificate: Certificate,
  issuer: Certificate,
  responses: readonly Filed<OcspResponse>[],
  now: Date,
): SaidByFiles {
  const said: (SaidByFiles & { readonly kind: 'good' | 'revoked' })[] = [];
  for (const { file, value } of responses) {
    try {
      const { status, nextUpdate } = answerOf(value, certificate, issuer, now);
      if (status.kind === 'unknown') continue;
      const ageSeconds = (now.getTime() - value.producedAt.getTime()) / 1000;
      const full = { ...status, source: file, validUntil: nextUpdate };
      said.push({ kind: status.kind, by: 'ocsp', status: full, ageSeconds });
    } catch (error) {
      // About another certificate, over, or not by whom it should be.
      if (!(error instanceof EnvelopeError)) throw error;
    }
  }
  return said.find(({ kind }) => kind === 'revoked') ?? said[0];
}

async function makeCurrent(
  { file, value: base }: Filed<Crl>,
  all: readonly Filed<Crl>[],
  certificate: Certificate,
  issuer: Certificate,
  now: Date,
): Promise<CurrentCrl> {
  const validUntil = checkCrlTimes(base, now);
  await checkSignature(base)(issuer);
  assertComplete(base, certificate);
  if (base.freshestUrls.length === 0) return { base, source: file, validUntil };
  const newestFirst = all.toSorted((a, b) => (isNewer(a.value, b.value) ? -1 : 1));
  for (const { file: deltaFile, value: delta } of newestFirst) {
    try {
      checkDelta(delta, base);
      const end = checkCrlTimes(delta, now);
      await checkSignature(delta)(issuer);
      const source = `${file}, ${deltaFile}`;
      return { base, delta, source, validUntil: end < validUntil ? end : validUntil };
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
    }
  }
  throw new EnvelopeError('CRL_MALFORMED', 'no file has the changes since');
}

/** Of lists for the same scope the one with the highest number: it tells what the others do not. */
function newestOf(lists: readonly Filed<Crl>[]): readonly Filed<Crl>[] {
  const newest = new Map<string, Filed<Crl>>();
  for (const list of lists) {
    if (list.value.baseNumber !== undefined) continue;
    const scope = Buffer.from(list.value.scope.der).toString('hex');
    const known = newest.get(scope);
    if (known === undefined || isNewer(list.value, known.value)) newest.set(scope, list);
  }
  return [...newest.values()];
}

function isNewer(one: Crl, other: Crl): boolean {
  const [left, right] = [one.number ?? 0n, other.number ?? 0n];
  return left > right || (left === right && one.thisUpdate > other.thisUpdate);
}

/**
 * The lists that the issuer signed; only where there is none, those in its name, which then say why
 * they prove nothing. An issuer keeps its name with a new key.
 */
async function listsOf(
  issuer: Certificate,
  lists: readonly Filed<Crl>[],
): Promise<readonly Filed<Crl>[]> {
  const named = lists.filter(({ value }) => isSameBytes(value.issuer, issuer.subject.der));
  const signed: Filed<Crl>[] = [];
  for (const list of named) {
    try {
      await checkSignature(list.value)(issuer);
      signed.push(list);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
    }
  }
  return signed.length > 0 ? signed : named;
}
