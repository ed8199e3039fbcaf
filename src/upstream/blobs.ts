import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { contentEncodingOf, decodedBody, paced } from './body.ts';
import type { BlobContent, BlobStat, BlobWish } from './content-source.ts';
import type { AnswerHead, Ask, Exchange } from './exchange.ts';
import { contentLengthOf, headerOf, listHeaderOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import { discard } from './redirect.ts';
import type { RegistryUrls } from './registry-url.ts';
import type { RemoteLimits } from './remote-options.ts';

export interface BlobReader {
  statBlob(
    path: RepositoryPath,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<BlobStat | undefined>;
  openBlob(
    path: RepositoryPath,
    digest: Digest,
    signal: AbortSignal,
    wish?: BlobWish,
  ): Promise<BlobContent | undefined>;
}

export function makeBlobReader(
  urls: RegistryUrls,
  exchange: Exchange,
  clock: Clock,
  pace: Pick<RemoteLimits, 'minBytesPerSecond' | 'rateWindowMs'>,
): BlobReader {
  const askFor = (path: RepositoryPath, digest: Digest): Ask => ({
    operation: 'blob',
    url: urls.blob(path, digest),
    path,
  });
  const openBlob: BlobReader['openBlob'] = (path, digest, signal, wish = {}) => {
    const what = `blob ${path}@${digest}`;
    const toError = (error: unknown): Error => {
      // The reader's own wish is no fault of upstream.
      if (signal.aborted && signal.reason instanceof Error) return signal.reason;
      return exchange.broken('blob', what, error);
    };
    return exchange.named(what, signal, async () => {
      const answered = await openPart(askFor(path, digest), wish, exchange, signal);
      if (answered === undefined) return undefined;
      const { answer, size, range } = answered;
      try {
        const stream = paced(decodedBody(answer), pace, clock, toError);
        return { size, range, etag: strongEtagOf(answer), stream };
      } catch (error) {
        answer.body.on('error', () => undefined).destroy();
        throw error;
      }
    });
  };
  return {
    openBlob,
    async statBlob(path, digest, signal) {
      const stat = await exchange.named(`blob ${path}@${digest}`, signal, async () => {
        const answer = await exchange.head(askFor(path, digest), signal);
        if (answer === undefined || answer === 'unsupported') return undefined;
        return { size: sizeOf(answer) };
      });
      if (stat !== undefined) return stat;
      // Pull-through registries answer HEAD with 404 for what they only have not yet got.
      const content = await openBlob(path, digest, signal);
      content?.stream.on('error', () => undefined).destroy();
      return content === undefined ? undefined : { size: content.size };
    },
  };
}

interface Answered extends Pick<BlobContent, 'size' | 'range'> {
  readonly answer: WireAnswer;
}

/** Only the rest of a blob is asked for: that is what a broken transfer lacks. */
async function openPart(
  ask: Ask,
  { range, ifRange, size }: BlobWish,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<Answered | undefined> {
  if (range !== undefined && range.first > 0 && range.last === undefined) {
    const { first } = range;
    const answer = await exchange.open({ ...ask, range: { first, ifRange } }, signal);
    if (answer === undefined) return undefined;
    const total = answer.status === 206 ? totalOf(answer, first) : undefined;
    if (total !== undefined && (size ?? total) === total) {
      return { answer, size: total, range: { first } };
    }
    if (answer.status === 200) return { answer, size: sizeOf(answer) };
    discard(answer);
  }
  const answer = await exchange.open(ask, signal);
  return answer && { answer, size: sizeOf(answer) };
}

/**
 * The whole length by the Content-Range (RFC 9110, section 14.4); undefined unless it is exactly
 * the rest from `first` on.
 */
function totalOf(answer: AnswerHead, first: number): number | undefined {
  const range = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(
    headerOf(answer, 'content-range') ?? '',
  );
  if (range === null || contentEncodingOf(answer) !== undefined) return undefined;
  const [from, last, total] = range.slice(1).map(Number);
  if (from !== first || total === undefined || last !== total - 1) return undefined;
  const length = contentLengthOf(answer);
  return length === undefined || length === total - first ? total : undefined;
}

/** RFC 9110, section 8.8.3: a weak one, and that of an encoded body, do not name these bytes. */
function strongEtagOf(answer: AnswerHead): string | undefined {
  const etag = listHeaderOf(answer, 'etag');
  if (etag === undefined || contentEncodingOf(answer) !== undefined) return undefined;
  return /^"[\x21\x23-\x7e]{0,256}"$/.test(etag) ? etag : undefined;
}

/** The length of an encoded body is not the blob's. */
function sizeOf(answer: AnswerHead): number | undefined {
  return contentEncodingOf(answer) === undefined ? contentLengthOf(answer) : undefined;
}
