import { derTags, expectChildren, readDer } from './der.ts';
import { readTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readExtensionList } from './extensions.ts';
import { readRevocationDetails, type RevocationDetails } from './revocation-reason.ts';

/** What a list says of one certificate (RFC 5280, section 5.3). */
export interface CrlEntry extends RevocationDetails {
  readonly revokedAt: Date;
}

/** Between two yields: well below a millisecond of work. */
const entriesAtATime = 4096;
/** What it costs to read an entry whole, in entries that are passed by. */
const readingCost = 64;
/** One certificate is listed once, or twice by an issuer that is careless. */
const maxFound = 8;

/**
 * Finds the entries with a serial number, in one pass over all of them that makes nothing for
 * those that are others': a list of 32 MiB has a million. Yields now and then, so that whoever
 * drives it can let others work. Throws `EnvelopeError` where any entry is malformed or has a
 * critical extension that we do not know: then the list must not be used (section 5.3).
 */
export function* findEntries(
  entries: Uint8Array,
  serialNumber: Uint8Array,
): Generator<undefined, readonly CrlEntry[]> {
  const found: CrlEntry[] = [];
  let untilYield = entriesAtATime;
  for (let at = 0; at < entries.length;) {
    const content = contentAt(entries, at, derTags.sequence);
    const end = endAt(entries, at);
    const serial = contentAt(entries, content, derTags.integer);
    const date = endAt(entries, content);
    if (date > end || !(endAt(entries, date) <= end)) throw malformed();
    const hasExtensions = endAt(entries, date) < end;
    // Another encoding of the number would hide whom it names.
    if (!isShortest(entries, serial, date)) throw malformed();
    const isOurs = isAt(entries, serial, date, serialNumber);
    if (isOurs || (hasExtensions && !isHarmless(entries, endAt(entries, date), end))) {
      const entry = readEntry(entries.subarray(at, end));
      untilYield -= readingCost;
      if (isOurs) found.push(entry);
      if (found.length > maxFound) throw malformed();
    }
    at = end;
    untilYield -= 1;
    if (untilYield > 0) continue;
    untilYield = entriesAtATime;
    yield;
  }
  return found;
}

function readEntry(bytes: Uint8Array): CrlEntry {
  const [, date, list, ...rest] = expectChildren(readDer(bytes), 'a revocation');
  if (rest.length > 0) throw malformed();
  const extensions = list === undefined ? new Map() : readExtensionList(list);
  return {
    revokedAt: readTime(date, 'the time of a revocation'),
    ...readRevocationDetails(extensions),
  };
}

/** Whether none of the extensions says that it is critical; false too for what is no list of them. */
function isHarmless(entries: Uint8Array, start: number, end: number): boolean {
  if (entries[start] !== derTags.sequence || endAt(entries, start) !== end) return false;
  let at = contentAt(entries, start, derTags.sequence);
  while (at < end) {
    const name = contentAt(entries, at, derTags.sequence);
    const next = endAt(entries, at);
    // RFC 5280, section 4.2: what stands behind the name is the flag, or else the value.
    const value = endAt(entries, name);
    if (entries[value] !== derTags.octetString || endAt(entries, value) !== next) return false;
    at = next;
  }
  return at === end;
}

/** Where the content of the element begins that must be there. */
function contentAt(bytes: Uint8Array, at: number, tag: number): number {
  const initial = bytes[at + 1];
  if (bytes[at] !== tag || initial === undefined) throw malformed();
  return at + 2 + (initial < 0x80 ? 0 : initial & 0x7f);
}

/** Where the element ends; its length is definite and of the fewest bytes (X.690, section 10.1). */
function endAt(bytes: Uint8Array, at: number): number {
  const initial = bytes[at + 1];
  if (initial === undefined) throw malformed();
  if (initial < 0x80) return within(bytes, at + 2 + initial);
  const count = initial & 0x7f;
  let length = 0;
  for (let index = 0; index < count && index < 5; index += 1) {
    length = length * 256 + (bytes[at + 2 + index] ?? NaN);
  }
  if (count === 0 || count > 4 || bytes[at + 2] === 0 || !(length >= 0x80)) throw malformed();
  return within(bytes, at + 2 + count + length);
}

function within(bytes: Uint8Array, end: number): number {
  if (end > bytes.length) throw malformed();
  return end;
}

/** X.690, clause 8.3.2. */
function isShortest(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  const isNegative = (bytes[start + 1] ?? 0) >= 0x80;
  if (end - start < 2) return end > start;
  return !(first === 0 && !isNegative) && !(first === 0xff && isNegative);
}

function isAt(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    if (bytes[start + index] !== wanted[index]) return false;
  }
  return true;
}

function malformed(): EnvelopeError {
  return new EnvelopeError('CRL_MALFORMED', 'an entry of the revocation list is malformed');
}
