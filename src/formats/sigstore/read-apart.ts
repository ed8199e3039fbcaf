import { createHash } from 'node:crypto';
import { type DsseEnvelope, preAuthEncoding, readDsseEnvelope } from '../../crypto/dsse.ts';
import { EnvelopeError, type EnvelopeErrorCode } from '../../crypto/envelope-error.ts';
import { type BundleParts, readBundleParts } from './bundle-parts.ts';
import { type HeadProblem, readStatementHead, type StatementHead } from './statement-head.ts';

/** Envelopes that may be large, and what is read of each. */
export interface ReadingResults {
  readonly bundle: BundleParts;
  readonly 'dsse-envelope': DsseEnvelope & DsseReading;
}

/** What is worked out of a DSSE envelope's payload along with reading it. */
export interface DsseReading {
  readonly head?: StatementHead | HeadProblem;
  /** SHA-256 of the payload and of what is signed, of a large one. */
  readonly hashes?: { readonly payload: Uint8Array; readonly signed: Uint8Array };
}

export type ReadingKind = keyof ReadingResults;

/** Plain data, for this thread or another. */
export interface ReadingTask {
  readonly kind: ReadingKind;
  readonly bytes: Uint8Array;
  readonly maxBytes: number;
  /** Whether another thread may have the bytes for good: they are empty here then. */
  readonly mayTake: boolean;
}

/** Errors lose their class on the way from another thread. */
export type ReadingAnswer =
  | { readonly read: ReadingResults[ReadingKind] }
  | { readonly malformed: { readonly code: EnvelopeErrorCode; readonly message: string } };

/** Reads in another thread. Rejects where no thread is free, or one is too slow or too large. */
export type ReadApart = (task: ReadingTask, signal: AbortSignal) => Promise<ReadingAnswer>;

/** Larger ones would keep other requests waiting while they are read. */
export const maxBytesReadHere = 256 * 1024;

/** What a thread does. Never throws for what is wrong with the bytes. */
export function readEnvelope({
  kind,
  bytes,
  maxBytes,
}: Omit<ReadingTask, 'mayTake'>): ReadingAnswer {
  try {
    return { read: readersApart[kind](bytes, maxBytes) };
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    return { malformed: { code: error.code, message: error.message } };
  }
}

type Readers = {
  readonly [Kind in ReadingKind]: (bytes: Uint8Array, maxBytes: number) => ReadingResults[Kind];
};

const readers: Readers = {
  bundle: readBundleParts,
  'dsse-envelope': (bytes, maxBytes) => {
    const envelope = readDsseEnvelope(bytes, maxBytes);
    return { ...envelope, head: readStatementHead(envelope.payload) };
  },
};

const readersApart: Readers = {
  bundle: (bytes, maxBytes) => {
    const { content, ...parts } = readers.bundle(bytes, maxBytes);
    return { ...parts, content: content.kind === 'dsse' ? forAnotherThread(content) : content };
  },
  'dsse-envelope': (bytes, maxBytes) => forAnotherThread(readers['dsse-envelope'](bytes, maxBytes)),
};

/** With what takes long to work out; the payload in memory that every thread sees as it is. */
function forAnotherThread<Dsse extends Pick<DsseEnvelope, 'payloadType' | 'payload'>>(
  dsse: Dsse,
): Dsse & DsseReading {
  const payload = new Uint8Array(new SharedArrayBuffer(dsse.payload.length));
  payload.set(dsse.payload);
  const hashes = { payload: sha256(dsse.payload), signed: sha256(preAuthEncoding(dsse)) };
  return { ...dsse, payload, hashes };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/**
 * Reads an envelope here if it is small, and in another thread if it is not, which takes the bytes
 * of a bundle with it. Throws `EnvelopeError`, and what `ReadApart` rejects with.
 */
export function readWhereItFits<Kind extends ReadingKind>(
  kind: Kind,
  bytes: Uint8Array,
  maxBytes: number,
  { readApart, signal }: { readonly readApart: ReadApart; readonly signal: AbortSignal },
): ReadingResults[Kind] | Promise<ReadingResults[Kind]> {
  // Never taken for an envelope that is malformed.
  if (isTaken(bytes)) throw new TypeError('the bytes of an envelope were read already, and taken');
  if (bytes.length <= maxBytesReadHere) return readers[kind](bytes, maxBytes);
  // Timestamps of cosign's `.att` are over the envelope itself; nobody asks for a bundle's bytes.
  const mayTake = kind === 'bundle';
  return readApart({ kind, bytes, maxBytes, mayTake }, signal).then((answer) => {
    if ('malformed' in answer) {
      throw new EnvelopeError(answer.malformed.code, answer.malformed.message);
    }
    return answer.read as ReadingResults[Kind];
  });
}

function isTaken({ buffer }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && buffer.detached;
}
