import { createHash, webcrypto } from 'node:crypto';
import { preAuthEncoding } from '../../crypto/dsse.ts';
import type { HashName } from '../../crypto/hash-algorithm.ts';
import { oncePer } from '../../kernel/once.ts';
import { maxBytesReadHere } from './read-apart.ts';
import type { SignedContent } from './sigstore-envelope.ts';

type Signed = Exclude<SignedContent, { kind: 'artifact' }>;
type DsseContent = Extract<SignedContent, { kind: 'dsse' }>;

/** The bytes that the signature covers. */
export const signedBytesOf = oncePer((content: Signed): Uint8Array =>
  content.kind === 'dsse' ? preAuthEncoding(content) : content.payload,
);

const webNames = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

/** Of large bytes in another thread: 30 MB take a tenth of a second. */
export async function hashOf(hash: HashName, bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length <= maxBytesReadHere) return createHash(hash).update(bytes).digest();
  // It takes no memory that is shared with other threads.
  const { buffer, byteOffset, length } = bytes;
  const own =
    buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : undefined;
  return new Uint8Array(
    await webcrypto.subtle.digest(webNames[hash], own ?? Uint8Array.from(bytes)),
  );
}

/** The hash of what was signed; undefined where the bundle states it of another kind only. */
export async function hashOfSigned(
  content: SignedContent,
  hash: HashName,
): Promise<Uint8Array | undefined> {
  if (content.kind === 'artifact') return content.hash === hash ? content.digest : undefined;
  return knownHash(content, hash, 'signed') ?? (await hashOf(hash, signedBytesOf(content)));
}

export async function hashOfPayload(content: DsseContent, hash: HashName): Promise<Uint8Array> {
  return knownHash(content, hash, 'payload') ?? (await hashOf(hash, content.payload));
}

function knownHash(
  content: Signed,
  hash: HashName,
  of: 'signed' | 'payload',
): Uint8Array | undefined {
  return content.kind === 'dsse' && hash === 'sha256' ? content.hashes?.[of] : undefined;
}
