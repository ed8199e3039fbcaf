import { EnvelopeError } from './envelope-error.ts';
import { type JsonFields, readJsonFields } from './json-fields.ts';

/** A DSSE envelope: a payload of a type, with signatures over both. */
export interface DsseEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly DsseSignature[];
}

export interface DsseSignature {
  /** Not authenticated: a hint at most. */
  readonly keyId?: string;
  readonly signature: Uint8Array;
}

const maxSignatures = 32;
const maxTypeLength = 256;
/** Of a document that holds nothing else. */
const maxValues = 1_000;

/**
 * Reads a DSSE envelope in JSON (DSSE v1.0, envelope): exactly its members, canonical base64, 1 to
 * 32 signatures. Throws `EnvelopeError`. The payload means nothing before a signature is verified.
 */
export function readDsseEnvelope(untrusted: Uint8Array, maxBytes: number): DsseEnvelope {
  if (untrusted.length > maxBytes) throw malformed(`it is larger than ${maxBytes} bytes`);
  return readDsseFields(readJsonFields(untrusted, malformed, maxValues));
}

/** The same out of a document that holds one, as a Sigstore bundle does. */
export function readDsseFields(envelope: JsonFields): DsseEnvelope {
  envelope.expectOnly('payloadType', 'payload', 'signatures');
  const payloadType = envelope.text('payloadType');
  if (payloadType.length > maxTypeLength) throw malformed('payloadType is too long');
  const signatures = envelope.objects('signatures', maxSignatures).map(readSignature);
  if (signatures.length === 0) throw malformed('it has no signature');
  return { payloadType, payload: envelope.bytes('payload'), signatures };
}

function readSignature(fields: JsonFields): DsseSignature {
  fields.expectOnly('keyid', 'sig');
  const keyId = fields.raw('keyid') ?? '';
  if (typeof keyId !== 'string') throw malformed(`${fields.path}.keyid is no text`);
  const signature = fields.bytes('sig');
  return keyId === '' ? { signature } : { keyId, signature };
}

/** The bytes that a DSSE signature covers (DSSE v1.0, protocol: pre-authentication encoding). */
export function preAuthEncoding({
  payloadType,
  payload,
}: Pick<DsseEnvelope, 'payloadType' | 'payload'>): Uint8Array {
  const typeBytes = Buffer.byteLength(payloadType);
  const head = `DSSEv1 ${typeBytes} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function malformed(why: string, cause?: unknown): EnvelopeError {
  return new EnvelopeError('DSSE_MALFORMED', `not a DSSE envelope: ${why}`, { cause });
}
