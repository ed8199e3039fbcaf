import type { Digest } from '../oci/digest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { headerOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import type { PushWire } from './push-wire.ts';
import { discard, nextUploadStep } from './redirect.ts';
import type { RegistryUrls } from './registry-url.ts';
import { UpstreamError } from './upstream-error.ts';

export interface Uploading {
  readonly urls: RegistryUrls;
  readonly wire: PushWire;
}

const maxChunkBytes = 1024 * 1024 * 1024;

/** An upload under way. */
export interface Upload {
  readonly path: RepositoryPath;
  url: URL;
  /** Bytes that the registry has. */
  offset: number;
  /** The least that a chunk may have, but for the last. */
  readonly minChunkBytes: number;
}

export async function beginUpload(
  path: RepositoryPath,
  { urls, wire }: Uploading,
  signal: AbortSignal,
): Promise<Upload> {
  const url = urls.uploads(path);
  const answer = await wire.send({ method: 'POST', url, path, expected: [202] }, signal);
  discard(answer);
  return toUpload(path, url, answer);
}

function toUpload(
  path: RepositoryPath,
  asked: URL,
  answer: Pick<WireAnswer, 'url' | 'headers'>,
): Upload {
  const text = headerOf(answer, 'oci-chunk-min-length') ?? '0';
  const minChunkBytes = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (minChunkBytes > maxChunkBytes) {
    const message = `takes no chunks of less than ${minChunkBytes} bytes`;
    throw new UpstreamError('UPSTREAM_MISBEHAVED', message);
  }
  const url = nextUploadStep(answer.url, headerOf(answer, 'location'), asked.origin);
  return { path, url, offset: 0, minChunkBytes };
}

/** Undefined where that is refused: the blob can be sent all the same. */
export async function mountBlob(
  path: RepositoryPath,
  digest: Digest,
  from: RepositoryPath,
  { urls, wire }: Uploading,
  signal: AbortSignal,
): Promise<'mounted' | Upload | undefined> {
  const url = urls.uploads(path, { digest, from });
  // Whoever may not read there, or asks what knows no mount, is told so in many ways.
  const expected = [201, 202, 400, 401, 403, 404, 405];
  const answer = await wire.send({ method: 'POST', url, path, expected }, signal);
  discard(answer);
  if (answer.status === 201) return 'mounted';
  return answer.status === 202 ? toUpload(path, url, answer) : undefined;
}

/** What the registry has of the upload; undefined where it does not know it any more. */
export async function readUpload(
  { path, url, minChunkBytes }: Upload,
  size: number,
  { wire }: Pick<Uploading, 'wire'>,
  signal: AbortSignal,
): Promise<Upload | undefined> {
  const expected = [204, 200, 400, 404, 405, 416];
  const answer = await wire.send({ method: 'GET', url, path, expected }, signal);
  discard(answer);
  if (answer.status !== 204) return undefined;
  const offset = offsetOf(answer);
  if (offset === undefined || offset > size) return undefined;
  const location = headerOf(answer, 'location');
  const next = location === undefined ? url : nextUploadStep(answer.url, location, url.origin);
  return { path, url: next, offset, minChunkBytes };
}

/** `Range: 0-LAST`; some say `bytes=0-LAST`, and of nothing `0-0`, as of one byte. */
export function offsetOf(answer: Pick<WireAnswer, 'headers'>): number | undefined {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(headerOf(answer, 'range') ?? '') ?? [];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}
