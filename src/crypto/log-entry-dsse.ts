import type { JsonFields } from './json-fields.ts';
import type { LogEntry } from './log-entry.ts';
import {
  type LoggedSignature,
  malformedEntry as malformed,
  maxLoggedSignatures,
  readHash,
  readHashV2,
  readPemVerifier,
  readVerifierV2,
} from './log-entry-parts.ts';

type Entry = Omit<LogEntry, 'kind' | 'version'>;

/** `dsse` 0.0.1: hashes of envelope and payload, signatures with PEM verifiers. */
export function readDsseEntry(spec: JsonFields): Entry {
  spec.expectOnly('envelopeHash', 'payloadHash', 'signatures');
  return {
    envelopeHash: readHash(spec.object('envelopeHash')),
    payloadHash: readHash(spec.object('payloadHash')),
    signatures: readSignatures(spec, (fields) => {
      fields.expectOnly('signature', 'verifier');
      const verifier = readPemVerifier(fields.bytes('verifier'));
      return { signature: fields.bytes('signature'), verifier };
    }),
  };
}

/** `dsse` 0.0.2, of Rekor v2: the payload's hash, signatures with protobuf verifiers. */
export function readDsseV2Entry(spec: JsonFields): Entry {
  spec.expectOnly('dsseV002');
  const entry = spec.object('dsseV002');
  entry.expectOnly('payloadHash', 'signatures');
  return {
    payloadHash: readHashV2(entry.object('payloadHash')),
    signatures: readSignatures(entry, (fields) => {
      fields.expectOnly('content', 'verifier');
      const verifier = readVerifierV2(fields.object('verifier'));
      return { signature: fields.bytes('content'), verifier };
    }),
  };
}

function readSignatures(
  fields: JsonFields,
  read: (item: JsonFields) => LoggedSignature,
): readonly LoggedSignature[] {
  const signatures = fields.objects('signatures', maxLoggedSignatures).map(read);
  if (signatures.length === 0) throw malformed('it has no signature');
  return signatures;
}
