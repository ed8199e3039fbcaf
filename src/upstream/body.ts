import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import type { Clock } from '../kernel/clock.ts';
import { quoted } from '../kernel/quoted.ts';
import { contentLengthOf, headerOf } from './header.ts';
import type { WireAnswer } from './http.ts';
import type { RemoteLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
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
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let waitedMs = 0;
    let bytes = 0;
    let askedMs = clock.monotonicMs();
    try {
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        waitedMs += clock.monotonicMs() - askedMs;
        bytes += chunk.byteLength;
        if (waitedMs >= pace.rateWindowMs) {
          if (bytes < (pace.minBytesPerSecond * waitedMs) / 1000) throw tooSlow(pace);
          waitedMs = 0;
          bytes = 0;
        }
        yield chunk;
        askedMs = clock.monotonicMs();
      }
    } catch (error) {
      throw toError(error);
    }
  }
  const stream = Readable.from(chunks(), { objectMode: false, highWaterMark: 16 * 1024 });
  // A generator that waits for upstream, or was never asked, can't be stopped; its source can.
  source.on('error', () => undefined);
  stream.once('close', () => source.destroy());
  return stream;
}

function tooSlow({ minBytesPerSecond }: Pace): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_TIMEOUT',
    `came slower than ${minBytesPerSecond} bytes a second`,
  );
}
