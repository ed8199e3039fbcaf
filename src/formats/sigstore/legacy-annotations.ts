import { parseBase64 } from '../../crypto/base64.ts';
import { readCertificate } from '../../crypto/certificate.ts';
import { EnvelopeError } from '../../crypto/envelope-error.ts';
import { readJsonFields } from '../../crypto/json-fields.ts';
import { maxLogEntryBytes } from '../../crypto/log-entry.ts';
import { readPem } from '../../crypto/pem.ts';
import type { Certificate } from '../../crypto/x509.ts';
import type { UntrustedEnvelope } from '../signature-format.ts';
import { type ReadingResults, readWhereItFits } from './read-apart.ts';
import type {
  ClaimedLogEntry,
  ClaimedVerifier,
  ReadSigstoreEnvelope,
  SigstoreEnvelope,
} from './sigstore-envelope.ts';

/** What cosign keeps beside a layer under the tags `.sig` and `.att` (Signature Specification). */
export const legacyAnnotations = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

type AnnotationName = (typeof legacyAnnotations)[keyof typeof legacyAnnotations];

/** The most that a payload or a DSSE envelope may weigh, in bytes. */
export const maxPayloadBytes = 1024 * 1024;
export const maxAttestationBytes = 64 * 1024 * 1024;

// The body of a log entry is in base64 in the largest.
const maxAnnotationLength = 2 * maxLogEntryBytes;
const maxIssuers = 8;
const logIdPattern = /^[0-9a-f]{64}$/;

/** Reads a signature over the layer's own bytes, which are a payload. Throws `EnvelopeError`. */
export function readLegacySignature({ bytes, annotations }: UntrustedEnvelope): SigstoreEnvelope {
  if (bytes.length > maxPayloadBytes) {
    throw malformed(`its payload is larger than ${maxPayloadBytes} bytes`);
  }
  const text = textOf(annotations, legacyAnnotations.signature);
  const signature = text === undefined ? undefined : parseBase64(text, 'base64');
  if (signature === undefined) {
    throw malformed(`${legacyAnnotations.signature} is missing or no base64`);
  }
  const content = { kind: 'simple-signing', payload: bytes } as const;
  return { content, signature, ...readMaterial(annotations), timestamped: signature };
}

/**
 * Reads an attestation: the layer is a DSSE envelope and holds the signature itself, so that the
 * annotation of that name is empty. Throws or rejects as `ReadSigstoreEnvelope` says.
 */
export const readLegacyAttestation: ReadSigstoreEnvelope = ({ bytes, annotations }, sources) => {
  if (textOf(annotations, legacyAnnotations.signature) !== undefined) {
    throw malformed(`${legacyAnnotations.signature} is not empty, beside a DSSE envelope`);
  }
  const toEnvelope = (envelope: ReadingResults['dsse-envelope']): SigstoreEnvelope => {
    const { signatures, ...dsse } = envelope;
    const [first, ...others] = signatures;
    if (first === undefined || others.length > 0) {
      throw malformed('its DSSE envelope has more than one signature');
    }
    return {
      content: { kind: 'dsse', ...dsse, envelope: bytes },
      signature: first.signature,
      ...readMaterial(annotations),
      timestamped: bytes,
    };
  };
  const read = readWhereItFits('dsse-envelope', bytes, maxAttestationBytes, sources);
  return 'then' in read ? read.then(toEnvelope) : toEnvelope(read);
};

type Material = Pick<SigstoreEnvelope, 'verifier' | 'logEntries' | 'timestamps'>;

function readMaterial(annotations: UntrustedEnvelope['annotations']): Material {
  const bundle = textOf(annotations, legacyAnnotations.bundle);
  const timestamp = textOf(annotations, legacyAnnotations.timestamp);
  return {
    verifier: readVerifier(annotations),
    logEntries: bundle === undefined ? [] : [readPromisedEntry(bundle)],
    timestamps: timestamp === undefined ? [] : [readTimestamp(timestamp)],
  };
}

function readVerifier(annotations: UntrustedEnvelope['annotations']): ClaimedVerifier {
  const [leaf, ...more] = readCertificates(annotations, legacyAnnotations.certificate, 1);
  const issuers = readCertificates(annotations, legacyAnnotations.chain, maxIssuers);
  if (leaf !== undefined) return { kind: 'certificate', chain: [leaf, ...more, ...issuers] };
  if (issuers.length === 0) return { kind: 'public-key' };
  throw malformed(`${legacyAnnotations.chain} is there without ${legacyAnnotations.certificate}`);
}

function readCertificates(
  annotations: UntrustedEnvelope['annotations'],
  name: AnnotationName,
  maxCount: number,
): readonly Certificate[] {
  const text = textOf(annotations, name);
  if (text === undefined) return [];
  try {
    const blocks = readPem(text);
    if (blocks.length === 0 || blocks.some(({ label }) => label !== 'CERTIFICATE')) {
      throw new EnvelopeError('PEM_MALFORMED', 'not certificates in PEM');
    }
    if (blocks.length > maxCount) {
      throw new EnvelopeError('PEM_MALFORMED', `more than ${maxCount} certificates`);
    }
    return blocks.map(({ der }) => readCertificate(der));
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw malformed(`${name}: ${cause.message}`, cause);
    throw cause;
  }
}

/** The entry that Rekor answered with, under its promise; the log's proof is not kept. */
function readPromisedEntry(text: string): ClaimedLogEntry {
  const bundle = readJsonFields(text, within(legacyAnnotations.bundle));
  bundle.expectOnly('SignedEntryTimestamp', 'Payload');
  const entry = bundle.object('Payload');
  entry.expectOnly('body', 'integratedTime', 'logIndex', 'logID');
  const logId = entry.text('logID');
  if (!logIdPattern.test(logId)) throw malformed('the logID of its log entry is no SHA-256 in hex');
  const body = entry.bytes('body');
  return {
    logId: Buffer.from(logId, 'hex'),
    logIndex: entry.count('logIndex'),
    ...readKind(body),
    body,
    integratedTimeSeconds: entry.count('integratedTime'),
    promise: bundle.bytes('SignedEntryTimestamp'),
  };
}

/** Nothing beside the body says what it is. */
function readKind(body: Uint8Array): Pick<ClaimedLogEntry, 'kind' | 'version'> {
  const fields = readJsonFields(body, within('the body of its log entry'));
  return { kind: fields.text('kind'), version: fields.text('apiVersion') };
}

function readTimestamp(text: string): Uint8Array {
  const fields = readJsonFields(text, within(legacyAnnotations.timestamp));
  fields.expectOnly('SignedRFC3161Timestamp');
  return fields.bytes('SignedRFC3161Timestamp');
}

/** cosign writes an annotation that says nothing as an empty one. */
function textOf(
  annotations: UntrustedEnvelope['annotations'],
  name: AnnotationName,
): string | undefined {
  const text = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  if (text === undefined || text === '') return undefined;
  if (text.length > maxAnnotationLength) {
    throw malformed(`${name} is longer than ${maxAnnotationLength} characters`);
  }
  return text;
}

const within = (what: string) => (why: string, cause?: unknown) =>
  malformed(`${what}: ${why}`, cause);

function malformed(why: string, cause?: unknown): EnvelopeError {
  return new EnvelopeError('COSIGN_MALFORMED', `not as cosign writes it: ${why}`, { cause });
}
