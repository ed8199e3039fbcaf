import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { TaggedError } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { PieceStream } from '../storage/read-pieces.ts';
import type { BlobContent, ContentSource } from '../upstream/content-source.ts';
import { NotFoundError, UnavailableError } from './gate-error.ts';
import type { ByteRange, TrustedBlob } from './trusted-content.ts';
import { fromUpstream } from './upstream-failure.ts';

export interface PartDependencies {
  readonly source: (repository: Repository) => ContentSource;
  /** Fails a stream unless its bytes are what the descriptor names; withholds the end till then. */
  readonly matching: (expected: Descriptor) => Transform;
  readonly metrics: Metrics;
}

/** The bytes of an admitted part: verified before, or withheld till they are. */
export function openerOf(
  repository: Repository,
  part: Descriptor,
  { source, matching, metrics }: PartDependencies,
): Required<Pick<TrustedBlob, 'open' | 'openRange' | 'bytesNow'>> & Pick<TrustedBlob, 'handOver'> {
  const { digest, size } = part;
  const from = source(repository);
  const countMismatch = (): void =>
    metrics.count('assay_content_mismatch_total', { upstream: repository.upstream });

  const ask = async (signal: AbortSignal, range?: ByteRange): Promise<BlobContent> => {
    const wish = { size, range };
    const opening = source(repository).openBlob(repository.path, digest, signal, wish);
    const content = await fromUpstream(opening, signal);
    const name = `${scopeOf(repository)}@${digest}`;
    if (content === undefined) {
      throw new NotFoundError('BLOB_UNKNOWN', `${name} does not exist upstream`);
    }
    if (content.size === undefined || content.size === size) return content;
    content.stream.destroy();
    countMismatch();
    const because = `upstream has ${content.size} bytes for ${name}, its manifest says ${size}`;
    throw new UnavailableError('BAD_UPSTREAM', because);
  };
  /** The whole, whoever has looked at the bytes before. */
  const verifiedWhole = ({ stream, proof }: BlobContent): PieceStream => {
    if (proof !== undefined) return stream;
    const verified = matching(part);
    verified.once('error', (error) => {
      if (error instanceof TaggedError && error.code === 'CONTENT_MISMATCH') countMismatch();
    });
    // `pipeline` ends all sides when one fails; whoever reads the result sees the error there.
    return pipeline(stream, verified, () => undefined);
  };

  return {
    bytesNow: () => source(repository).blobAtHand?.(repository.path, { digest, size }),
    ...(from.handOver !== undefined && {
      handOver: async (takers, signal) => from.handOver?.(repository.path, part, takers, signal),
    }),
    open: async (signal) => verifiedWhole(await ask(signal)),
    async openRange(range, signal) {
      let content = await ask(signal, range);
      if (content.range !== undefined) {
        if (content.proof !== undefined) return { stream: content.stream, range };
        // A part that nobody has looked at can't be verified by itself.
        content.stream.destroy();
        content = await ask(signal);
      }
      const stream = verifiedWhole(content);
      // Any other range would be complete before all has been hashed.
      if (range.last < size - 1) return { stream, range: undefined };
      if (range.first === 0) return { stream, range };
      return { stream: pipeline(stream, skipping(range.first), () => undefined), range };
    },
  };
}

/** Passes what comes after the first `bytes`. */
function skipping(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      const skipped = Math.min(left, chunk.byteLength);
      left -= skipped;
      if (skipped < chunk.byteLength) this.push(chunk.subarray(skipped));
      done();
    },
  });
}
