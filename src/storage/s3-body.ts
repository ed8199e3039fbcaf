import { Readable } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import { LateS3Error } from './s3-failure.ts';

export interface BodyLimits {
  /** Without a byte. */
  readonly idleMs: number;
  /** As slow as it may be on the whole, beside one such pause. */
  readonly minBytesPerSecond: number;
}

export const bodyLimits: BodyLimits = { idleMs: 10_000, minBytesPerSecond: 64 * 1024 };

/**
 * The same bytes, failing where they come too slowly; what the reader takes its time for does not
 * count. `onChunk` sees each of them first.
 */
export function withPatience(
  body: Readable,
  { idleMs, minBytesPerSecond }: BodyLimits,
  clock: Clock,
  onChunk: (chunk: Uint8Array) => void = () => undefined,
): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const reading = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    let waitedMs = 0;
    let bytes = 0;
    try {
      for (;;) {
        const leftMs = idleMs + (bytes / minBytesPerSecond) * 1000 - waitedMs;
        const late = (): void => void body.destroy(new LateS3Error('LATE', 'S3 sends too slowly'));
        const timer = setTimeout(late, Math.max(0, Math.min(idleMs, leftMs)));
        const startedMs = clock.monotonicMs();
        const next = await reading.next().finally(() => clearTimeout(timer));
        waitedMs += clock.monotonicMs() - startedMs;
        if (next.done === true) return;
        bytes += next.value.byteLength;
        onChunk(next.value);
        yield next.value;
      }
    } finally {
      body.destroy();
    }
  }
  // Nobody may be reading when it breaks.
  body.on('error', () => undefined);
  return Readable.from(chunks(), { objectMode: false });
}
