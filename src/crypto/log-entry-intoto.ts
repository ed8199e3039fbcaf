import { parseBase64 } from './base64.ts';
import type { JsonFields } from './json-fields.ts';
import type { LogEntry } from './log-entry.ts';
import {
  type LoggedSignature,
  malformedEntry as malformed,
  maxLoggedSignatures,
  readHash,
  readPemVerifier,
} from './log-entry-parts.ts';

type Entry = Omit<LogEntry, 'kind' | 'version'>;

/** `intoto` 0.0.1: the envelope's hash and one verifier; the log keeps no signature. */
export function readIntotoEntry(spec: JsonFields): Entry {
  spec.expectOnly('content', 'publicKey');
  const content = spec.object('content');
  content.expectOnly('hash', 'payloadHash');
  return {
    ...readHashes(content),
    signatures: [{ verifier: readPemVerifier(spec.bytes('publicKey')) }],
  };
}

/** `intoto` 0.0.2: the envelope with its signatures, in base64 twice. */
export function readIntotoV2Entry(spec: JsonFields): Entry {
  spec.expectOnly('content');
  const content = spec.object('content');
  content.expectOnly('envelope', 'hash', 'payloadHash');
  const envelope = content.object('envelope');
  const signatures = envelope.objects('signatures', maxLoggedSignatures).map(readSignature);
  if (signatures.length === 0) throw malformed('it has no signature');
  if (!content.has('payloadHash')) throw malformed(`${content.path}.payloadHash is missing`);
  return { ...readHashes(content), signatures };
}

function readSignature(fields: JsonFields): LoggedSignature {
  fields.expectOnly('keyid', 'publicKey', 'sig');
  const text = Buffer.from(fields.bytes('sig')).toString('latin1');
  const signature = parseBase64(text, 'base64');
  if (signature === undefined || signature.length === 0) {
    throw malformed(`${fields.path}.sig is not in base64 twice`);
  }
  return { signature, verifier: readPemVerifier(fields.bytes('publicKey')) };
}

function readHashes(content: JsonFields): Pick<Entry, 'envelopeHash' | 'payloadHash'> {
  return {
    envelopeHash: readHash(content.object('hash')),
    ...(content.has('payloadHash') && {
      payloadHash: readHash(content.object('payloadHash')),
    }),
  };
}
