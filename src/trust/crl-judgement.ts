import { setImmediate } from 'node:timers/promises';
import { coverageOf } from '../crypto/crl-check.ts';
import { type CrlEntry, findEntries } from '../crypto/crl-entries.ts';
import { allReasons } from '../crypto/crl-extensions.ts';
import type { Crl } from '../crypto/crl.ts';
import type { Certificate } from '../crypto/x509.ts';
import { forgetOldest } from '../kernel/bounded.ts';
import { earliest } from '../kernel/earliest.ts';
import { isNonEmpty } from '../kernel/non-empty.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { gravestOf } from './gravest-revocation.ts';
import type { RevocationStatus } from './revocation-source.ts';

/** A list that was verified, with the changes since where it names where to find them. */
export interface CurrentCrl {
  readonly base: Crl;
  readonly delta?: Crl | undefined;
  /** Where it is from, as reports name it. */
  readonly source: string;
  readonly validUntil: Date;
}

/** What one list says of one certificate, or why it says nothing. */
export type ListOutcome =
  | { readonly list: CurrentCrl; readonly covered: number; readonly entry?: CrlEntry | undefined }
  | { readonly because: string };

/** Reads a list for a certificate; what keeps it from being read, or used, is an outcome too. */
export async function outcomeOf(
  certificate: Certificate,
  source: string,
  find: () => Promise<CurrentCrl>,
): Promise<ListOutcome> {
  try {
    const list = await find();
    const covered = coverageOf(list.base, certificate);
    return { list, covered, entry: await findRevocation(certificate, list) };
  } catch (error) {
    return { because: `${source}: ${messageOf(error)}` };
  }
}

/**
 * What lists say together: revoked if any says so, unknown if any could not be read, good if they
 * tell for every reason (RFC 5280, section 6.3.3).
 */
export function statusOfLists(outcomes: readonly ListOutcome[]): RevocationStatus {
  const read = outcomes.filter((outcome) => 'list' in outcome);
  const problems = outcomes.flatMap((outcome) => ('because' in outcome ? outcome.because : []));
  const covered = read.reduce((reasons, outcome) => reasons | outcome.covered, 0);
  const validUntil = earliest(...read.map(({ list }) => list.validUntil));
  if (validUntil === undefined) return { kind: 'unknown', because: problems.join('; ') };
  const revoking = read.filter(({ entry }) => entry !== undefined);
  const entries = revoking.flatMap(({ entry }) => entry ?? []);
  if (isNonEmpty(entries)) {
    const gravest = gravestOf(entries);
    // Without the others it is not known what they hold: a reason that forgives must not be believed.
    const isWhole = problems.length === 0 && covered === allReasons;
    const details = isWhole ? gravest : { revokedAt: gravest.revokedAt };
    return { kind: 'revoked', source: sourcesOf(revoking), ...details, validUntil };
  }
  if (problems.length > 0) return { kind: 'unknown', because: problems.join('; ') };
  if (covered !== allReasons) {
    return { kind: 'unknown', because: 'revocation lists do not tell for every reason' };
  }
  return { kind: 'good', source: sourcesOf(read), validUntil };
}

function sourcesOf(read: readonly Extract<ListOutcome, { readonly list: CurrentCrl }>[]): string {
  return read.map(({ list }) => list.source).join(', ');
}

async function findRevocation(
  { serialNumber }: Certificate,
  { base, delta }: CurrentCrl,
): Promise<CrlEntry | undefined> {
  const listed = await entriesIn(base, serialNumber);
  const changed = delta === undefined ? [] : await entriesIn(delta, serialNumber);
  // Nothing lifts a revocation but that of a hold (RFC 5280, section 5.3.1).
  const final = [...changed, ...listed].filter(({ reason }) => !isPassing(reason));
  if (isNonEmpty(final)) return gravestOf(final);
  const latest = changed.length > 0 ? changed : listed;
  return latest.find(({ reason }) => reason === 'certificateHold');
}

const maxSearches = 256;
const searchesOf = new WeakMap<Crl, Map<string, Promise<readonly CrlEntry[]>>>();

/**
 * A list may have a million entries, and is asked about the same few certificates again and again,
 * once for each copy of a signature that somebody attaches.
 */
function entriesIn(list: Crl, serialNumber: Uint8Array): Promise<readonly CrlEntry[]> {
  const searches = searchesOf.get(list) ?? new Map<string, Promise<readonly CrlEntry[]>>();
  searchesOf.set(list, searches);
  const name = Buffer.from(serialNumber).toString('hex');
  const search = searches.get(name) ?? drive(findEntries(list.entries, serialNumber));
  searches.delete(name);
  searches.set(name, search);
  forgetOldest(searches, maxSearches);
  return search;
}

function isPassing(reason: string | undefined): boolean {
  return reason === 'certificateHold' || reason === 'removeFromCRL';
}

/** Runs it to its end, and lets others work in between. */
async function drive<T>(steps: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}
