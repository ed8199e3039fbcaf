import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { randomHex } from '../kernel/clock.ts';
import { type Digest, encodedOf } from '../oci/digest.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence } from './bundle.ts';
import { intoStore } from './file-failure.ts';
import type { StoreFiles } from './store-files.ts';

/** What a zone says of an import, short enough to be typed, or scanned. */
export interface Receipt {
  readonly stream: string;
  readonly sequence: Sequence;
  /** The SHA-256 of the bundle's snapshot metadata, which vouch for all that it has. */
  readonly snapshot: Digest;
  /** Of the image references in it, so many were left out. */
  readonly leftOut: number;
  /** The zone's key: raw Ed25519, 64 hex digits. */
  readonly key: string;
}

const magic = 0xa5;
const signedBytes = 1 + 16 + 6 + 4 + 32 + 32;
const signatureBytes = 64;
/** In base32, without groups: one text for one receipt. */
const textLength = Math.ceil(((signedBytes + signatureBytes) * 8) / 5);
/** Of RFC 8410: what stands before a raw Ed25519 key in PKCS #8 and in SPKI. */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const purpose = Buffer.from('assay air-gap receipt\0');

export interface ReceiptKey {
  readonly key: string;
  /** In base32 (RFC 4648), in groups of five. */
  sign(receipt: Omit<Receipt, 'key'>): string;
}

/** The zone's key for receipts, made at the first import. Throws `AirgapError`. */
export async function openReceiptKey(
  { receiptKey }: Pick<StoreFiles, 'receiptKey'>,
  files: FileSystem,
): Promise<ReceiptKey> {
  const file = makeDurableFile(receiptKey, 128, files);
  const kept = await intoStore(receiptKey, () => file.read());
  const seed = kept === undefined ? randomHex(32) : Buffer.from(kept).toString('latin1').trim();
  if (!/^[0-9a-f]{64}$/.test(seed)) {
    const message = `${receiptKey} is damaged: remove it to have a new one made`;
    throw new AirgapError('STORE_DAMAGED', message);
  }
  if (kept === undefined) await intoStore(receiptKey, () => file.write(Buffer.from(`${seed}\n`)));
  const der = Buffer.concat([privatePrefix, Buffer.from(seed, 'hex')]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const key = rawKey(createPublicKey(privateKey)).toString('hex');
  return {
    key,
    sign: (receipt) => {
      const body = encodeBody({ ...receipt, key });
      const signature = sign(null, Buffer.concat([purpose, body]), privateKey);
      return toGroups(toBase32(Buffer.concat([body, signature])));
    },
  };
}

/** Undefined for what was mistyped, or was never signed by the key that it names. */
export function parseReceipt(text: string): Receipt | undefined {
  const typed = text.toUpperCase().replace(/[\s-]/g, '');
  const bytes = typed.length === textLength ? fromBase32(typed) : undefined;
  if (bytes?.length !== signedBytes + signatureBytes || bytes[0] !== magic) return undefined;
  const body = bytes.subarray(0, signedBytes);
  const raw = body.subarray(signedBytes - 32);
  const publicKey = createPublicKey({
    key: Buffer.concat([publicPrefix, raw]),
    format: 'der',
    type: 'spki',
  });
  const isSigned = verify(
    null,
    Buffer.concat([purpose, body]),
    publicKey,
    bytes.subarray(signedBytes),
  );
  if (!isSigned) return undefined;
  return {
    stream: body.toString('hex', 1, 17),
    sequence: body.readUIntBE(17, 6),
    leftOut: body.readUInt32BE(23),
    snapshot: `sha256:${body.toString('hex', 27, 59)}` as Digest,
    key: raw.toString('hex'),
  };
}

function encodeBody({ stream, sequence, leftOut, snapshot, key }: Receipt): Buffer {
  const body = Buffer.alloc(signedBytes);
  body[0] = magic;
  body.write(stream, 1, 'hex');
  body.writeUIntBE(sequence, 17, 6);
  body.writeUInt32BE(leftOut, 23);
  body.write(encodedOf(snapshot), 27, 'hex');
  body.write(key, 59, 'hex');
  return body;
}

function rawKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(held >> bits) & 31] ?? '';
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + (alphabet[(held << (5 - bits)) & 31] ?? '');
}

function fromBase32(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value === -1) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(held >> bits);
    held &= (1 << bits) - 1;
  }
  // What is left over of the last character must be empty.
  return held === 0 ? Buffer.from(bytes) : undefined;
}

function toGroups(text: string): string {
  return text.replace(/.{5}(?=.)/g, '$&-');
}
