import { type Cbor, type CborMap, isCborArray, isCborMap, isCborTag, readCbor } from './cbor.ts';
import { EnvelopeError } from './envelope-error.ts';

/** A COSE_Sign1 structure (RFC 9052, section 4.2); all byte strings as they were received. */
export interface CoseSign1 {
  /** The protected header's bytes: what is signed, whatever another encoder would have written. */
  readonly protectedBytes: Uint8Array;
  readonly protectedHeader: CborMap;
  readonly unprotectedHeader: CborMap;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** RFC 9052, section 3.1. */
export const coseLabels = { algorithm: 1, critical: 2, contentType: 3 } as const;

const sign1Tag = 18;
const maxProtectedBytes = 64 * 1024;

/**
 * Reads a tagged COSE_Sign1 with its payload inside and no label twice, and decides nothing about
 * what the headers mean. Throws `EnvelopeError`.
 */
export function readCoseSign1(untrusted: Uint8Array, maxBytes: number): CoseSign1 {
  const message = readCbor(untrusted, { maxBytes });
  if (!isCborTag(message) || message.tag !== sign1Tag) throw malformed('it has not the tag 18');
  const parts = message.content;
  if (!isCborArray(parts) || parts.length !== 4) throw malformed('it has not four parts');
  const [protectedPart, unprotectedHeader, payload, signature] = parts;
  const protectedBytes = expectBytes(protectedPart, 'protected header');
  const protectedHeader = readCbor(protectedBytes, { maxBytes: maxProtectedBytes });
  if (!isCborMap(protectedHeader)) throw malformed('its protected header is no map');
  if (!isCborMap(unprotectedHeader)) throw malformed('its unprotected header is no map');
  assertDisjoint(protectedHeader, unprotectedHeader);
  return {
    protectedBytes,
    protectedHeader,
    unprotectedHeader,
    // Null would be a detached payload.
    payload: expectBytes(payload, 'payload'),
    signature: expectBytes(signature, 'signature'),
  };
}

/** The bytes under the signature: Sig_structure without external data (RFC 9052, section 4.4). */
export function toBeSigned({ protectedBytes, payload }: CoseSign1): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0x84, 0x6a),
    Buffer.from('Signature1'),
    headOfBytes(protectedBytes.length),
    protectedBytes,
    headOfBytes(0),
    headOfBytes(payload.length),
    payload,
  ]);
}

/** The head of a byte string (RFC 8949, section 3.1) in the fewest bytes. */
function headOfBytes(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(0x40 | length);
  if (length < 0x100) return Uint8Array.of(0x58, length);
  if (length < 0x10000) return Uint8Array.of(0x59, length >> 8, length & 0xff);
  const head = Buffer.alloc(5, 0x5a);
  head.writeUInt32BE(length, 1);
  return head;
}

function expectBytes(part: Cbor | undefined, what: string): Uint8Array {
  if (!(part instanceof Uint8Array) || part.length === 0) {
    throw malformed(`its ${what} is no byte string or empty`);
  }
  return part;
}

/** RFC 9052, section 3: a label in both headers is malformed; crit is only ever protected. */
function assertDisjoint(protectedHeader: CborMap, unprotectedHeader: CborMap): void {
  for (const label of unprotectedHeader.keys()) {
    if (label === coseLabels.critical || protectedHeader.has(label)) {
      throw malformed(`label ${String(label).slice(0, 80)} may not be in the unprotected header`);
    }
  }
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('COSE_MALFORMED', `not a COSE_Sign1 envelope: ${why}`);
}
