import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TrustedBlob } from '../gate/trusted-content.ts';
import { beforeDeadline, type Exchange } from './exchange.ts';
import { exactLength } from './exact-length.ts';
import { recordBrokenStream } from './send-failure.ts';
import { cutOffSlowReader } from './slow-reader.ts';

/**
 * Opens a blob, lets the headers go, then the bytes as fast as the client takes them. If the
 * stream fails, the connection is destroyed: the client must not take a part for the whole. A
 * client that goes away aborts the stream.
 */
export async function streamBody(
  exchange: Exchange,
  blob: TrustedBlob,
  sendHeaders: () => void,
): Promise<void> {
  const { response, services } = exchange;
  const body = await openBeforeDeadline(exchange, blob);
  if (response.destroyed) {
    body.destroy();
    return;
  }
  sendHeaders();
  // Node would keep them until the first byte, which for a small blob comes with the last one.
  response.flushHeaders();
  const stopWatching = cutOffSlowReader(response, services.limits.slowReader);
  const { size } = blob.descriptor;
  // Before the connection is destroyed for it, so that it is not taken for the client's leaving.
  let isSourceAtFault = false;
  const exact = exactLength(size);
  const noteFault = (): void => {
    isSourceAtFault ||= !exchange.signal.aborted;
  };
  body.once('error', noteFault);
  exact.once('error', noteFault);
  try {
    await pipeline(body, exact, response);
    services.metrics.count('assay_bytes_served_total', { kind: 'blob' }, size);
  } catch (error) {
    if (isSourceAtFault) recordBrokenStream(exchange, error);
  } finally {
    stopWatching();
  }
}

/** An opening that comes too late, or for a client that has gone, is closed again. */
async function openBeforeDeadline(exchange: Exchange, blob: TrustedBlob): Promise<Readable> {
  const opening = new AbortController();
  const signal = AbortSignal.any([exchange.signal, opening.signal]);
  const opened = blob.open(signal);
  try {
    return await beforeDeadline(exchange, opened);
  } catch (error) {
    opening.abort(error);
    opened.then(
      (body) => body.destroy(),
      () => undefined,
    );
    throw error;
  }
}
