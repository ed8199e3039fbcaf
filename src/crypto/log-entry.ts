import { type JsonFields, readJsonFields } from './json-fields.ts';
import { readDsseEntry, readDsseV2Entry } from './log-entry-dsse.ts';
import { readIntotoEntry, readIntotoV2Entry } from './log-entry-intoto.ts';
import {
  type HashValue,
  type LoggedSignature,
  malformedEntry as malformed,
  readHash,
  readHashV2,
  readPemVerifier,
  readVerifierV2,
} from './log-entry-parts.ts';

/** The body of an entry of a Rekor log, in the terms of what it vouches for. */
export interface LogEntry {
  readonly kind: LogEntryKind;
  /** Such as `0.0.1`. */
  readonly version: string;
  /** At least one. */
  readonly signatures: readonly LoggedSignature[];
  /**
   * Of the artifact that was signed: the signed bytes themselves. In version 0.0.2 of
   * `hashedrekord` over a DSSE envelope: of its pre-authentication encoding.
   */
  readonly artifactHash?: HashValue;
  /** Of a DSSE envelope's payload. */
  readonly payloadHash?: HashValue;
  /** Of a DSSE envelope as the client wrote it in JSON. */
  readonly envelopeHash?: HashValue;
}

export type LogEntryKind = 'hashedrekord' | 'dsse' | 'intoto' | 'rekord';

/** A body with an envelope in it is the largest: cosign's own limit for one. */
export const maxLogEntryBytes = 1024 * 1024;

type Reader = (spec: JsonFields) => Omit<LogEntry, 'kind' | 'version'>;

const readers: ReadonlyMap<string, Reader> = new Map([
  ['hashedrekord 0.0.1', readHashedRekord],
  ['hashedrekord 0.0.2', readHashedRekordV2],
  ['dsse 0.0.1', readDsseEntry],
  ['dsse 0.0.2', readDsseV2Entry],
  ['intoto 0.0.1', readIntotoEntry],
  ['intoto 0.0.2', readIntotoV2Entry],
  ['rekord 0.0.1', readRekord],
]);

/**
 * Reads the body of a log entry: kinds and versions that are known, and of these every field that
 * vouches for something. Throws `EnvelopeError`. Whether it is in a log, and whether it is about
 * the signature at hand, is not its to say.
 */
export function readLogEntry(untrusted: Uint8Array): LogEntry {
  if (untrusted.length > maxLogEntryBytes) {
    throw malformed(`it is larger than ${maxLogEntryBytes} bytes`);
  }
  const body = readJsonFields(untrusted, malformed);
  body.expectOnly('apiVersion', 'kind', 'spec');
  const kind = body.text('kind');
  const version = body.text('apiVersion');
  const reader = readers.get(`${kind} ${version}`);
  if (reader === undefined) throw malformed('its kind or version is not known');
  return { kind: kind as LogEntryKind, version, ...reader(body.object('spec')) };
}

function readHashedRekord(spec: JsonFields): ReturnType<Reader> {
  spec.expectOnly('data', 'signature');
  const data = spec.object('data');
  data.expectOnly('hash');
  const signature = spec.object('signature');
  signature.expectOnly('content', 'publicKey');
  const verifier = readPemVerifier(signature.object('publicKey').bytes('content'));
  return {
    artifactHash: readHash(data.object('hash')),
    signatures: [{ signature: signature.bytes('content'), verifier }],
  };
}

function readHashedRekordV2(spec: JsonFields): ReturnType<Reader> {
  spec.expectOnly('hashedRekordV002');
  const entry = spec.object('hashedRekordV002');
  entry.expectOnly('data', 'signature');
  const signature = entry.object('signature');
  signature.expectOnly('content', 'verifier');
  const verifier = readVerifierV2(signature.object('verifier'));
  return {
    artifactHash: readHashV2(entry.object('data')),
    signatures: [{ signature: signature.bytes('content'), verifier }],
  };
}

function readRekord(spec: JsonFields): ReturnType<Reader> {
  spec.expectOnly('data', 'signature');
  const signature = spec.object('signature');
  signature.expectOnly('content', 'format', 'publicKey');
  // pgp, minisign and ssh sign in ways of their own.
  if (signature.text('format') !== 'x509') throw malformed('its signature is not of format x509');
  const verifier = readPemVerifier(signature.object('publicKey').bytes('content'));
  return {
    artifactHash: readHash(spec.object('data').object('hash')),
    signatures: [{ signature: signature.bytes('content'), verifier }],
  };
}
