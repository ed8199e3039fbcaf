import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { quoted } from '../kernel/quoted.ts';
import { contentLengthOf, headerOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import type { RemoteLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

/** RFC 9659, section 3: a window of 8 MB. By default each answer could take 128 MiB of memory. */
const zstdParams = { [zlib.constants.ZSTD_d_windowLogMax]: 23 };

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress({ params: zstdParams }),
};

/**
 * Whether the body is encoded although we asked for `identity`. Some registries do so, and the
 * digest is of the decoded bytes (RFC 9110, section 8.4).
 */
export function contentEncodingOf(answer: Pick<WireAnswer, 'headers'>): string | undefined {
  const coding = headerOf(answer, 'content-encoding')?.trim().toLowerCase();
  return coding === undefined || coding === '' || coding === 'identity' ? undefined : coding;
}

/** The body without its content encoding. Nothing is read before somebody reads. */
export function decodedBody(answer: WireAnswer): Readable {
  const coding = contentEncodingOf(answer);
  if (coding === undefined) return answer.body;
  const makeDecoder = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
  if (makeDecoder === undefined) {
    answer.body.on('error', () => undefined).destroy();
    throw new UpstreamError('UPSTREAM_MISBEHAVED', `has the content encoding ${quoted(coding)}`);
  }
  // The reader gets the error from the decoder, which pipeline destroys with it.
  return pipeline(answer.body, makeDecoder(), () => undefined);
}

/** All of the body, decoded; throws `TooLargeError` past `maxBytes`, before or after decoding. */
export async function readBody(answer: WireAnswer, maxBytes: number): Promise<Buffer> {
  if ((contentLengthOf(answer) ?? 0) > maxBytes) {
    answer.body.on('error', () => undefined).destroy();
    throw new TooLargeError('TOO_LARGE', `the answer is larger than ${maxBytes} bytes`);
  }
  return readBounded(decodedBody(answer), maxBytes, 'the answer');
}

type Pace = Pick<RemoteLimits, 'minBytesPerSecond' | 'rateWindowMs'>;

/**
 * Passes a stream through and fails with `UPSTREAM_TIMEOUT` when it is slower than the pace.
 * Only time that the reader waited counts: a slow client is not upstream's fault.
 */
export function paced(
  source: Readable,
  pace: Pace,
  clock: Clock,
  toError: (error: unknown) => Error,
): Readable {
  const chunks: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  let waitedMs = 0;
  let bytes = 0;
  const next = async (): Promise<Uint8Array | null> => {
    const askedMs = clock.monotonicMs();
    const { done, value } = await chunks.next();
    if (done === true) return null;
    waitedMs += clock.monotonicMs() - askedMs;
    bytes += value.byteLength;
    if (waitedMs < pace.rateWindowMs) return value;
    if (bytes < (pace.minBytesPerSecond * waitedMs) / 1000) throw tooSlow(pace);
    waitedMs = 0;
    bytes = 0;
    return value;
  };
  const fill = async (stream: Readable): Promise<void> => {
    try {
      stream.push(await next());
    } catch (error) {
      stream.destroy(toError(error));
    }
  };
  // Before the first read nobody else listens.
  source.on('error', () => undefined);
  return new Readable({
    highWaterMark: 16 * 1024,
    read() {
      void fill(this);
    },
    destroy(error, done) {
      source.destroy();
      done(error);
    },
  });
}

function tooSlow({ minBytesPerSecond }: Pace): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_TIMEOUT',
    `came slower than ${minBytesPerSecond} bytes a second`,
  );
}
