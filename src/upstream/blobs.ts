import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import { contentEncodingOf, decodedBody, paced } from './body.ts';
import type { BlobContent, BlobStat } from './content-source.ts';
import type { AnswerHead, Ask, Exchange } from './exchange.ts';
import { contentLengthOf } from './header.ts';
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
  const openBlob: BlobReader['openBlob'] = (path, digest, signal) => {
    const what = `blob ${path}@${digest}`;
    const toError = (error: unknown): Error => {
      // The reader's own wish is no fault of upstream.
      if (signal.aborted && signal.reason instanceof Error) return signal.reason;
      return exchange.toError(error, what);
    };
    return exchange.named(what, signal, async () => {
      const answer = await exchange.open(askFor(path, digest), signal);
      if (answer === undefined) return undefined;
      try {
        return { size: sizeOf(answer), stream: paced(decodedBody(answer), pace, clock, toError) };
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

/** The length of an encoded body is not the blob's. */
function sizeOf(answer: AnswerHead): number | undefined {
  return contentEncodingOf(answer) === undefined ? contentLengthOf(answer) : undefined;
}
