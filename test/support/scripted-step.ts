import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Barrier } from './barrier.ts';
import type { SeenRequest } from './scripted-upstream.ts';

/** What a scripted upstream does with one request; every member is a deviation from 200 and ''. */
export interface Step {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  /** Nothing is sent before that. */
  readonly after?: Barrier;
  /** `unstated`: chunked. A number is stated as Content-Length, true or not. */
  readonly length?: 'unstated' | number;
  /** The connection is destroyed after so many bytes of the body. */
  readonly cutAt?: number;
  /** So many bytes of the body are sent, the rest only after the barrier. */
  readonly pauseAt?: { readonly bytes: number; readonly until: Barrier };
  /** Called with how many bytes of the body have gone, before each piece of 64 KiB goes. */
  readonly pace?: (sentBytes: number) => Promise<void>;
  /** Nothing more comes and the connection stays: before the headers, or after them. */
  readonly hang?: 'before-headers' | 'after-headers';
  /** Exactly these bytes in place of an HTTP answer; then the connection is closed. */
  readonly raw?: string | Uint8Array;
  /** The body is sent piece by piece, as fast as the reader takes it, until the reader goes. */
  readonly endless?: Uint8Array;
}

export async function play(
  step: Step,
  request: SeenRequest,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => response.destroy());
  if (step.after !== undefined) await step.after.pass();
  if (step.hang === 'before-headers') return;
  if (step.raw !== undefined) {
    response.socket?.end(step.raw);
    return;
  }
  const body = asBuffer(step.body ?? '');
  const length = step.length ?? body.length;
  const isChunked = length === 'unstated' || step.endless !== undefined;
  response.strictContentLength = false;
  response.writeHead(step.status ?? 200, {
    ...(!isChunked && { 'content-length': length }),
    ...step.headers,
  });
  if (request.method === 'HEAD') response.end();
  else if (step.endless !== undefined) await sendEndless(step.endless, response);
  else await sendBody(step, body, response);
}

/** Large bodies are not copied for each request. */
function asBuffer(body: string | Uint8Array): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

const pieceBytes = 64 * 1024;

async function sendBody(step: Step, body: Buffer, response: ServerResponse): Promise<void> {
  const { pauseAt, cutAt, hang, pace } = step;
  let sent = 0;
  if (pace !== undefined) {
    sent = await sendPaced(body.subarray(0, cutAt ?? body.length), pace, response);
    if (response.destroyed) return;
  }
  if (pauseAt !== undefined) {
    response.write(body.subarray(0, pauseAt.bytes));
    sent = pauseAt.bytes;
    await pauseAt.until.pass();
  }
  if (hang === 'after-headers') {
    response.flushHeaders();
    return;
  }
  if (cutAt === undefined) {
    response.end(body.subarray(sent));
    return;
  }
  response.flushHeaders();
  if (cutAt > sent) response.write(body.subarray(sent, cutAt));
  // What was written must be on the wire before the connection goes.
  response.socket?.end();
}

async function sendPaced(
  body: Buffer,
  pace: NonNullable<Step['pace']>,
  response: ServerResponse,
): Promise<number> {
  let sent = 0;
  while (sent < body.length) {
    await pace(sent);
    if (response.destroyed) break;
    const piece = body.subarray(sent, sent + pieceBytes);
    if (!response.write(piece)) await drained(response);
    sent += piece.length;
  }
  return sent;
}

/** Resolves when the reader has taken what was written, or has gone. */
async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  await promise;
  response.off('drain', resolve).off('close', resolve);
}

async function sendEndless(piece: Uint8Array, response: ServerResponse): Promise<void> {
  function* pieces(): Generator<Uint8Array> {
    for (;;) yield piece;
  }
  await pipeline(Readable.from(pieces(), { highWaterMark: 1 }), response).catch(() => undefined);
}
