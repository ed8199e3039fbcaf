import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { contentLengthOf, headerOf } from './header.ts';
import { openPieces, type Pieces } from './push-pieces.ts';
import { pushPatience } from './push-wire.ts';
import { discard, nextUploadStep } from './redirect.ts';
import { pauseAfter, type Wait } from './retry.ts';
import { StatusError } from './status.ts';
import {
  beginUpload,
  mountBlob,
  offsetOf,
  readUpload,
  type Upload,
  type Uploading,
} from './push-upload.ts';
import { UpstreamError } from './upstream-error.ts';

export interface PushedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** All of it from the start; called again where an upload has to go on. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
}

export interface BlobPushing extends Uploading {
  readonly clock: Clock;
  readonly wait: Wait;
  /** An upload of more goes in parts of so many bytes. */
  readonly chunkBytes: number;
  readonly onSent: (bytes: number) => void;
}

export type BlobOutcome = 'present' | 'mounted' | 'uploaded';

/** Slower than that is as good as dead. */
const minBytesPerSecond = 64 * 1024;

export async function hasBlob(
  path: RepositoryPath,
  { digest, size }: Pick<PushedBlob, 'digest' | 'size'>,
  { urls, wire }: Pick<BlobPushing, 'urls' | 'wire'>,
  signal: AbortSignal,
): Promise<boolean> {
  const url = urls.blob(path, digest);
  const answer = await wire.send({ method: 'HEAD', url, path, expected: [200, 404] }, signal);
  discard(answer);
  if (answer.status === 404) return false;
  const stated = contentLengthOf(answer);
  if (stated === undefined || stated === size) return true;
  const message = `says that ${digest} has ${stated} bytes, and it has ${size}`;
  throw new UpstreamError('UPSTREAM_MISBEHAVED', message);
}

/**
 * Pushes a blob that is not there (distribution-spec, Pushing Blobs): by a mount from another
 * repository where that works, in one request where it is small, or else in chunks. An upload that
 * breaks goes on behind what the registry says it has. One piece of the stream is in memory.
 */
export async function pushBlob(
  path: RepositoryPath,
  blob: PushedBlob,
  mountFrom: RepositoryPath | undefined,
  pushing: BlobPushing,
  signal: AbortSignal,
): Promise<BlobOutcome> {
  const mounted = mountFrom && (await mountBlob(path, blob.digest, mountFrom, pushing, signal));
  if (mounted === 'mounted') return mounted;
  let upload = mounted ?? (await beginUpload(path, pushing, signal));
  let furthest = upload.offset;
  for (let vain = 0; ; vain += 1) {
    try {
      await sendRest(upload, blob, pushing, signal);
      return 'uploaded';
    } catch (error) {
      signal.throwIfAborted();
      await pauseOrThrow(error, vain, pushing, signal);
      const next = await findOut(upload, blob, pushing, signal);
      if (next === undefined) return 'uploaded';
      upload = next;
      // What a registry has, forgets and has again is no progress.
      if (upload.offset <= furthest) continue;
      furthest = upload.offset;
      vain = -1;
    }
  }
}

async function pauseOrThrow(
  error: unknown,
  vain: number,
  { wait }: BlobPushing,
  signal: AbortSignal,
): Promise<void> {
  if (error instanceof SourceFailure) throw error;
  const pauseMs = isOutOfStep(error) ? 0 : pauseAfter(error, vain, pushPatience);
  if (pauseMs === undefined || vain >= pushPatience.maxRetries) throw error;
  await wait(pauseMs, signal);
}

/** How an upload that broke goes on; undefined: the answer to its end is all that was lost. */
async function findOut(
  upload: Upload,
  blob: PushedBlob,
  pushing: BlobPushing,
  signal: AbortSignal,
): Promise<Upload | undefined> {
  const { path } = upload;
  if (await hasBlob(path, blob, pushing, signal)) return undefined;
  const known = await readUpload(upload, blob.size, pushing, signal);
  return known ?? beginUpload(path, pushing, signal);
}

/** The blob itself could not be read: no other request mends that. */
export class SourceFailure extends Error {}

async function sendRest(
  upload: Upload,
  blob: PushedBlob,
  pushing: BlobPushing,
  signal: AbortSignal,
): Promise<void> {
  const pieces = openPieces(blob.open(signal));
  try {
    // Read again from the start, so that whoever reads can hash all of it.
    for await (const _ of pieces.take(upload.offset));
    const chunkBytes = Math.max(pushing.chunkBytes, upload.minChunkBytes);
    if (upload.offset === 0 && blob.size <= chunkBytes) {
      await finish(upload, blob, pieces, pushing, signal);
      return;
    }
    while (upload.offset < blob.size) {
      const length = Math.min(chunkBytes, blob.size - upload.offset);
      await sendChunk(upload, length, pieces, pushing, signal);
    }
    await finish(upload, blob, undefined, pushing, signal);
  } catch (error) {
    const own = pieces.failure();
    throw own === undefined ? error : new SourceFailure('the content', { cause: own.error });
  } finally {
    await pieces.close();
  }
}

const binary = 'application/octet-stream';

async function sendChunk(
  upload: Upload,
  length: number,
  pieces: Pieces,
  { wire, onSent }: BlobPushing,
  signal: AbortSignal,
): Promise<void> {
  const { path, url, offset } = upload;
  const answer = await wire.sendOnce(
    {
      method: 'PATCH',
      url,
      path,
      expected: [202, 201, 204],
      contentRange: `${offset}-${offset + length - 1}`,
      body: onlyOnce(length, pieces, onSent),
      extraMs: timeFor(length),
    },
    signal,
  );
  discard(answer);
  upload.url = nextUploadStep(answer.url, headerOf(answer, 'location'), url.origin);
  const taken = offsetOf(answer);
  upload.offset = offset + length;
  if (taken !== undefined && taken !== upload.offset) throw outOfStep(taken, upload.offset);
}

async function finish(
  { path, url }: Upload,
  { digest, size }: PushedBlob,
  pieces: Pieces | undefined,
  { wire, onSent }: BlobPushing,
  signal: AbortSignal,
): Promise<void> {
  const end = new URL(url);
  end.search = `${end.search === '' ? '?' : `${end.search}&`}digest=${encodeURIComponent(digest)}`;
  const whole = pieces && { body: onlyOnce(size, pieces, onSent), extraMs: timeFor(size) };
  const answer = await wire.sendOnce(
    { method: 'PUT', url: end, path, expected: [201, 204], ...whole },
    signal,
  );
  discard(answer);
}

/** A log-in that has ended in between must not send what is left of it. */
function onlyOnce(length: number, pieces: Pieces, onSent: (bytes: number) => void) {
  let isTaken = false;
  return () => {
    if (isTaken) throw outOfStep(0, length);
    isTaken = true;
    return { type: binary, length, pieces: counted(pieces.take(length), onSent) };
  };
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  onSent: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    onSent(piece.byteLength);
  }
}

function timeFor(bytes: number): number {
  return Math.ceil((bytes / minBytesPerSecond) * 1000);
}

function outOfStep(has: number, sent: number): UpstreamError {
  const message = `has ${has} bytes of an upload of which ${sent} were sent`;
  return new UpstreamError('UPSTREAM_FAILED', message);
}

/** 416: a chunk that is not the next one (distribution-spec, Pushing a blob in chunks). */
function isOutOfStep(error: unknown): boolean {
  return error instanceof StatusError && error.status === 416;
}
