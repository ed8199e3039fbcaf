import type { Readable } from 'node:stream';
import { algorithmOf, encodedOf } from '../oci/digest.ts';
import type { ContentName } from './blob-store.ts';
import { makeContentHash } from './content-hash.ts';
import type { ObjectWords, Upload } from './object-client.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Link } from './s3-link.ts';
import { StorageError } from './storage-error.ts';

export interface UploadLimits {
  /** Bytes of a part, and of what goes in one request. S3 takes 5 MiB at least. */
  readonly partBytes: number;
  /** What is copied in one request: S3 takes 5 GiB at most. */
  readonly copyBytes: number;
  readonly partMs: number;
  readonly copyMs: number;
}

const mebibyte = 1024 * 1024;

export const uploadLimits: UploadLimits = {
  partBytes: 8 * mebibyte,
  copyBytes: 1024 * mebibyte,
  partMs: 30_000,
  copyMs: 60_000,
};

/** S3's bound of one upload. */
const maxParts = 10_000;

export interface UploadDependencies {
  readonly link: S3Link;
  readonly keys: S3Keys;
  readonly limits: UploadLimits;
}

/**
 * Brings content to its key, and resolves with the entity tag that it got there. The bytes are
 * hashed on their way: what is small goes in one request after that, what is large in parts of a
 * multipart upload to a key of its own, which is completed only once the hash matches, and copied
 * to its place then. Throws `StorageError`; `CONTENT_MISMATCH` where the bytes are others.
 */
export function upload(
  content: ContentName,
  stream: Readable,
  dependencies: UploadDependencies,
  signal: AbortSignal,
): Promise<string> {
  return content.size <= dependencies.limits.partBytes
    ? uploadWhole(content, stream, dependencies, signal)
    : uploadParts(content, stream, dependencies, signal);
}

async function uploadWhole(
  content: ContentName,
  stream: Readable,
  { link, keys, limits }: UploadDependencies,
  signal: AbortSignal,
): Promise<string> {
  const hash = makeContentHash(content);
  const whole = Buffer.allocUnsafeSlow(content.size);
  for await (const { part } of partsOf(stream, whole, content)) hash.update(part);
  if (!hash.matches()) throw mismatch(content);
  const key = keys.blob(content.digest);
  const words = wordsOf(content);
  const bounds = { signal, withinMs: limits.partMs };
  const tag = await link.ask('put', (s3, own) => s3.put(key, whole, words, own), bounds);
  return needed(tag);
}

async function uploadParts(
  content: ContentName,
  stream: Readable,
  dependencies: UploadDependencies,
  signal: AbortSignal,
): Promise<string> {
  const { link, keys, limits } = dependencies;
  const key = keys.staging();
  await inParts(key, content, dependencies, signal, async (begun) => {
    const hash = makeContentHash(content);
    const etags: string[] = [];
    const buffer = Buffer.allocUnsafeSlow(partBytesOf(content, limits));
    const bounds = { signal, withinMs: limits.partMs };
    for await (const { part, number } of partsOf(stream, buffer, content)) {
      hash.update(part);
      const send = link.ask('upload', (s3, own) => s3.uploadPart(begun, number, part, own), bounds);
      etags.push(needed(await send));
    }
    if (!hash.matches()) throw mismatch(content);
    return etags;
  });
  try {
    return await publish(content, key, dependencies, signal);
  } finally {
    await link.ask('remove', (s3, own) => s3.remove(key, own)).catch(() => undefined);
  }
}

/** What was put together is as long as it should be, or it goes nowhere. */
async function publish(
  content: ContentName,
  from: string,
  dependencies: UploadDependencies,
  signal: AbortSignal,
): Promise<string> {
  const { link, keys, limits } = dependencies;
  const made = await link.ask('head', (s3, own) => s3.head(from, own), { signal });
  if (made?.size !== content.size || made.etag === undefined) {
    throw new StorageError('STORAGE_FAILED', `S3 did not keep ${content.digest} whole`);
  }
  const { etag } = made;
  const to = keys.blob(content.digest);
  const bounds = { signal, withinMs: limits.copyMs };
  if (content.size <= limits.copyBytes) {
    return needed(await link.ask('copy', (s3, own) => s3.copy({ from, etag, to }, own), bounds));
  }
  return inParts(to, content, dependencies, signal, async (begun) => {
    const etags: string[] = [];
    for (let first = 0; first < content.size; first += limits.copyBytes) {
      const last = Math.min(first + limits.copyBytes, content.size) - 1;
      const part = { from, etag, first, last };
      const number = etags.length + 1;
      const copy = link.ask('copy', (s3, own) => s3.copyPart(begun, number, part, own), bounds);
      etags.push(needed(await copy));
    }
    return etags;
  });
}

/** A multipart upload that is completed with what `send` sent, or aborted if it throws. */
async function inParts(
  key: string,
  content: ContentName,
  { link, limits }: UploadDependencies,
  signal: AbortSignal,
  send: (begun: Upload) => Promise<readonly string[]>,
): Promise<string> {
  const words = wordsOf(content);
  const begin = link.ask('upload', (s3, own) => s3.beginUpload(key, words, own), { signal });
  const begun = { key, id: needed(await begin) };
  try {
    const etags = await send(begun);
    const bounds = { signal, withinMs: limits.copyMs };
    const end = link.ask('upload', (s3, own) => s3.completeUpload(begun, etags, own), bounds);
    return needed(await end);
  } catch (error) {
    // What is not aborted here is by a sweep.
    await link.ask('upload', (s3, own) => s3.abortUpload(begun, own)).catch(() => undefined);
    throw error;
  }
}

interface Part {
  /** Its memory is the next part's. */
  readonly part: Uint8Array;
  readonly number: number;
}

/** The stream in pieces of the buffer's size; throws with the first byte too many. */
async function* partsOf(
  stream: Readable,
  buffer: Buffer,
  content: ContentName,
): AsyncGenerator<Part> {
  let held = 0;
  let number = 0;
  let seen = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    seen += chunk.byteLength;
    if (seen > content.size) throw mismatch(content);
    for (let at = 0; at < chunk.byteLength;) {
      const taken = Math.min(buffer.length - held, chunk.byteLength - at);
      buffer.set(chunk.subarray(at, at + taken), held);
      held += taken;
      at += taken;
      if (held < buffer.length) continue;
      yield { part: buffer, number: (number += 1) };
      held = 0;
    }
  }
  if (held > 0) yield { part: buffer.subarray(0, held), number: number + 1 };
}

function partBytesOf({ size }: ContentName, { partBytes }: UploadLimits): number {
  const least = Math.ceil(size / maxParts / mebibyte) * mebibyte;
  return Math.max(partBytes, least);
}

function wordsOf({ digest }: ContentName): ObjectWords {
  const isSha256 = algorithmOf(digest) === 'sha256';
  const sha256 = isSha256 ? Buffer.from(encodedOf(digest), 'hex').toString('base64') : undefined;
  return { digest, sha256 };
}

function needed(answered: string | undefined): string {
  if (answered !== undefined) return answered;
  throw new StorageError('STORAGE_FAILED', 'S3 did not say what an object is called');
}

function mismatch({ digest }: ContentName): StorageError {
  return new StorageError('CONTENT_MISMATCH', `what was to be shared is not ${digest}`);
}
