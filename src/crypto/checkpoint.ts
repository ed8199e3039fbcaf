import type { KeyObject } from 'node:crypto';
import { parseBase64 } from './base64.ts';
import { EnvelopeError } from './envelope-error.ts';
import { type KeyAlgorithm, verifyWithKey } from './sigstore-key.ts';

/** A log's signed word about its tree (C2SP tlog-checkpoint): a note with a log's root hash. */
export interface Checkpoint {
  /** The first line: which log it is about. */
  readonly origin: string;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  /** What every signature covers. */
  readonly signedText: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

/** A line below a note (C2SP signed-note); lines by strangers are part of the format. */
export interface NoteSignature {
  readonly name: string;
  /** Four bytes that tell keys of one name apart, lower-case hex. */
  readonly keyHint: string;
  readonly signature: Uint8Array;
}

/** A dozen cosigners and some room. */
const maxCheckpointBytes = 16 * 1024;

const maxSignatures = 32;
const size = /^(?:0|[1-9]\d{0,15})$/;
const shard = /^\d{1,20}$/;
const signatureLine = /^\u2014 ([^\s+]{1,255}) ([A-Za-z0-9+/=]{8,2048})$/u;
// C2SP signed-note: no control characters in the text but newline.
const control = /[\x00-\x09\x0b-\x1f\x7f\ufffd]/;

/** Reads a checkpoint; throws `EnvelopeError`. Nothing in it is true before a signature is verified. */
export function readCheckpoint(untrusted: string): Checkpoint {
  if (Buffer.byteLength(untrusted) > maxCheckpointBytes) {
    throw malformed(`it is larger than ${maxCheckpointBytes} bytes`);
  }
  if (control.test(untrusted) || !untrusted.isWellFormed()) {
    throw malformed('it has a character that a note may not have');
  }
  // The text may have empty lines of its own; signatures stand behind the last one.
  const end = untrusted.lastIndexOf('\n\n');
  if (end < 0) throw malformed('no empty line divides text from signatures');
  const text = untrusted.slice(0, end + 1);
  return {
    ...readTree(text),
    signedText: Buffer.from(text),
    signatures: readSignatures(untrusted.slice(end + 2)),
  };
}

function readTree(text: string): Pick<Checkpoint, 'origin' | 'treeSize' | 'rootHash'> {
  const [origin = '', treeSize = '', encodedRoot = ''] = text.split('\n');
  const rootHash = parseBase64(encodedRoot, 'base64');
  if (origin === '') throw malformed('the origin is empty');
  if (!size.test(treeSize) || !Number.isSafeInteger(Number(treeSize))) {
    throw malformed('the tree size is no count below 2^53');
  }
  if (rootHash?.length !== 32) throw malformed('the root hash is no SHA-256 in base64');
  return { origin, treeSize: Number(treeSize), rootHash };
}

/**
 * Whether the checkpoint is about the log of that name. Rekor v1 writes its shard behind the name
 * (`rekor.sigstore.dev - 2605736670972794746`); every other log's origin is its name. Names are
 * compared whole.
 */
export function isCheckpointOf({ origin }: Checkpoint, name: string): boolean {
  const isShard = origin.startsWith(`${name} - `) && shard.test(origin.slice(name.length + 3));
  return origin === name || isShard;
}

/** A log's key as its checkpoints name it. */
export interface LogKey {
  /** The log's name: the host of its URL, with the port if that has one. */
  readonly name: string;
  /** Four bytes, lower-case hex. */
  readonly keyHint: string;
  readonly publicKey: KeyObject;
  readonly algorithm: KeyAlgorithm;
}

/**
 * Whether the checkpoint is about the log and has the log's own signature. Lines of other names are
 * passed by, lines of that name and key must verify, and there must be one.
 */
export function isCheckpointSignedBy(checkpoint: Checkpoint, key: LogKey): boolean {
  const own = checkpoint.signatures.filter(
    ({ name, keyHint: hint }) => name === key.name && hint === key.keyHint,
  );
  if (own.length === 0 || !isCheckpointOf(checkpoint, key.name)) return false;
  return own.every(({ signature }) =>
    verifyWithKey(key.publicKey, key.algorithm, checkpoint.signedText, signature),
  );
}

function readSignatures(text: string): readonly NoteSignature[] {
  if (!text.endsWith('\n')) throw malformed('its last line does not end');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > maxSignatures) throw malformed(`it has more than ${maxSignatures} signatures`);
  return lines.map((line) => {
    const [, name, encoded = ''] = signatureLine.exec(line) ?? [];
    const bytes = parseBase64(encoded, 'base64');
    if (name === undefined || bytes === undefined || bytes.length < 5) {
      throw malformed('a line below its text is no signature');
    }
    const keyHintHex = Buffer.from(bytes.subarray(0, 4)).toString('hex');
    return { name, keyHint: keyHintHex, signature: bytes.subarray(4) };
  });
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('LOG_MALFORMED', `not a checkpoint: ${why}`);
}
