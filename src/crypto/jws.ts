import type { KeyObject } from 'node:crypto';
import { errors, flattenedVerify } from 'jose';
import { isObject, type Json, JsonError, type JsonObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { type SignatureAlgorithm, signatureAlgorithmOf, signatureBytesOf } from './algorithms.ts';
import { parseBase64 } from './base64.ts';
import { EnvelopeError } from './envelope-error.ts';

/** A flattened JWS in JSON (RFC 7515, section 7.2.2), its members as text and read. */
export interface FlattenedJws {
  readonly protectedHeader: JsonObject;
  readonly unprotectedHeader: JsonObject;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** base64url, exactly as the signature covers it or states it. */
  readonly text: {
    readonly protected: string;
    readonly payload: string;
    readonly signature: string;
  };
}

const members = ['payload', 'protected', 'header', 'signature'] as const;

/**
 * Reads a flattened JWS more strictly than jose does, which takes duplicate members, members that
 * it does not know and a payload that is not base64: exactly the four members, canonical base64url,
 * no header name twice. Decides nothing about what the headers mean. Throws `EnvelopeError`.
 */
export function readFlattenedJws(untrusted: Uint8Array, maxBytes: number): FlattenedJws {
  if (untrusted.length > maxBytes) throw malformed(`it is larger than ${maxBytes} bytes`);
  const envelope = readObject(untrusted, 'the envelope');
  const unknown = Object.keys(envelope).find(
    (name) => !(members as readonly string[]).includes(name),
  );
  if (unknown !== undefined) throw malformed(`${quoted(unknown)} is no member of it`);
  const text = {
    protected: expectText(envelope, 'protected'),
    payload: expectText(envelope, 'payload'),
    signature: expectText(envelope, 'signature'),
  };
  const protectedHeader = readObject(decode(text.protected, 'protected'), 'the protected header');
  const { header: unprotectedHeader } = envelope;
  if (!isObject(unprotectedHeader)) throw malformed('header is no object');
  assertHeaders(protectedHeader, unprotectedHeader);
  const signature = decode(text.signature, 'signature');
  const payload = decode(text.payload, 'payload');
  return { protectedHeader, unprotectedHeader, payload, signature, text };
}

/**
 * Whether the signature is the key's. `implemented` are the critical header names that the caller
 * processes; with any other in `crit` it throws `EnvelopeError`.
 */
export async function verifyJws(
  { text, signature }: FlattenedJws,
  algorithm: SignatureAlgorithm,
  publicKey: KeyObject,
  implemented: readonly string[],
): Promise<boolean> {
  if (signatureAlgorithmOf(publicKey) !== algorithm) return false;
  const crit = Object.fromEntries(implemented.map((name) => [name, true]));
  // jose leaves it to OpenSSL, which takes an RSA signature without its leading zeros.
  if (signature.length !== signatureBytesOf(publicKey)) return false;
  try {
    await flattenedVerify({ ...text }, publicKey, { algorithms: [algorithm], crit });
    return true;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false;
    if (!(error instanceof errors.JOSEError)) throw error;
    throw new EnvelopeError('JWS_MALFORMED', `not a JWS that can be verified: ${error.message}`, {
      cause: error,
    });
  }
}

function readObject(bytes: Uint8Array, what: string): JsonObject {
  let value: Json;
  try {
    value = readJson(bytes);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new EnvelopeError('JWS_MALFORMED', `not a JWS: ${what} is no JSON: ${cause.message}`, {
      cause,
    });
  }
  if (!isObject(value)) throw malformed(`${what} is no JSON object`);
  return value;
}

function expectText(envelope: JsonObject, name: (typeof members)[number]): string {
  const { [name]: text } = envelope;
  if (typeof text !== 'string' || text === '') throw malformed(`${name} is missing or no text`);
  return text;
}

function decode(text: string, name: string): Uint8Array {
  const bytes = parseBase64(text, 'base64url');
  if (bytes === undefined) throw malformed(`${name} is not base64url without padding`);
  return bytes;
}

/** RFC 7515, section 4: names are unique over both headers; section 4.1.11: crit is protected. */
function assertHeaders(protectedHeader: JsonObject, unprotectedHeader: JsonObject): void {
  for (const name of Object.keys(unprotectedHeader)) {
    if (name === 'crit' || name in protectedHeader) {
      throw malformed(`${quoted(name)} may not be in the unprotected header`);
    }
  }
  // RFC 7797 changes which bytes are signed.
  if ('b64' in protectedHeader) throw malformed('b64 is not supported');
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('JWS_MALFORMED', `not a JWS: ${why}`);
}
